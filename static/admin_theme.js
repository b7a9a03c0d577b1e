// Django's admin has no place in its template for the theme of a person. Runs before anything is drawn.
document.documentElement.dataset.theme = document.currentScript.dataset.theme;
