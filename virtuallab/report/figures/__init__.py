"""One file a question: each draws one panel from labelled arrays and touches nothing global."""
