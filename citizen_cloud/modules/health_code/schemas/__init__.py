"""What goes in and out, one file a noun."""
