"""What the city tells a citizen: an inbox, and texts sent by a job."""
