int text_of_nobody;
