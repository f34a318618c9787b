// Sends the one form of the page at once; without JavaScript its button does the same.
document.querySelector("form[data-post-now]")?.submit();
