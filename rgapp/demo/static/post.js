// Sends the response on at once; without JavaScript the page's Continue button does the same.
document.querySelector("form[data-submit-now]")?.submit();
