"""AWS on this machine, to try the module and to test it. Real AWS needs nothing from here."""
