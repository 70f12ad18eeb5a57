"""What the organisations room takes and gives: places, and the people who work there."""
