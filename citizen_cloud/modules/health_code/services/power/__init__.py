"""Colours by hand and what stands against them: proposals, rates, alarms, appeals, corrections."""
