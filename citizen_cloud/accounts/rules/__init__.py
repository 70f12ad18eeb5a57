"""Pure rules of people and login: phones, documents, names, lifetimes, passwords."""
