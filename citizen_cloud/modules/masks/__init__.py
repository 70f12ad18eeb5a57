"""口罩预约: find a pharmacy with stock, book a share, collect it with a code."""
