// Links in mails carry their token behind the #, where no server and no Referer sees it. It moves into the form, and
// out of the address, so that the history of the browser does not keep it.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const field = document.querySelector("input[name=token]");
if (token && field) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
