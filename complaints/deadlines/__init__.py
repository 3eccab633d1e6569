"""Due times: targets, working time, opening hours, and how each date is explained."""
