"""The pages. Each is: get state -> widgets -> one call to the Controller -> draw."""
