"""What masks are rationed by, and what a stock file must look like: pure, no database, no HTTP."""
