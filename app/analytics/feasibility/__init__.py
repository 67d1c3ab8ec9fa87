"""What a plan of data collection can show, and which chart suits a measure."""
