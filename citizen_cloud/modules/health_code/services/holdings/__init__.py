"""What the module holds about people, part by part; ``cards`` puts the parts together."""
