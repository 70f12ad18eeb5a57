"""Codes given out: to phones, for a minute, on paper, to somebody who is not there."""
