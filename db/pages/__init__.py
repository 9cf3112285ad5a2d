"""What pages and streams show: time ranges, ladders, replay, changes after a cursor."""
