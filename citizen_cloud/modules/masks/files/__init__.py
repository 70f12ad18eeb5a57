"""Stock files as they come from outlets and from open data: bytes in, rows and faults out."""
