"""The subjects: networks, the rules that change them, and the tasks they learn."""
