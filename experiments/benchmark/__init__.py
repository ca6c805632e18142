"""How nkpredict compares with other learners: tasks, peers, runs and their page."""
