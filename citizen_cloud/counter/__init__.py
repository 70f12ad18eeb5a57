"""What is decided at a service counter, by two people: recovery, names, people without phones."""
