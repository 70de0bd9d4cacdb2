// The page behind the links of mails. The token is in the fragment of the address, which
// browsers send to no server and put into no referrer; the page removes it from the address.

const CONFIRM = `mutation ($token: String!, $password: String!) {
  confirmEmail(code: $token, password: $password) { userErrors { code message } } }`;
const RESET = `mutation ($token: String!, $newPassword: String!, $otp: String) {
  resetPassword(token: $token, newPassword: $newPassword, otp: $otp) { userErrors { code message } } }`;

const DONE = {
  confirm: "Your e-mail address is confirmed. You can close this page.",
  reset: "Your password is set, and all sessions have ended. Sign in with the new password.",
};

const $ = (id) => document.getElementById(id);
const [kind, token] = location.hash.slice(1).split("=");
history.replaceState(null, "", location.pathname);
addEventListener("hashchange", () => location.reload()); // another link in the same tab

if (token && (kind === "confirm" || kind === "reset")) open($(kind));

function open(form) {
  say("");
  form.hidden = false;
  form.querySelector("input").focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await send(form);
      form.hidden = true;
      say(DONE[kind]);
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
}

// send throws the errors of the answer as a message for people.
async function send(form) {
  const { otp, ...fields } = Object.fromEntries(new FormData(form));
  const variables = { token, ...fields, ...(otp && { otp }) };
  const response = await fetch("../graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ query: kind === "confirm" ? CONFIRM : RESET, variables }),
    credentials: "omit",
  });
  const { data, errors = [] } = await response.json();
  const faults = Object.values(data ?? {})[0]?.userErrors ?? errors;
  if (faults.some(({ code }) => code === "OTP_REQUIRED")) $("otp").hidden = false;
  if (faults.length || errors.length) throw new Error(faults.map(({ message }) => message).join("\n"));
}

function say(text, isFault = false) {
  $("said").textContent = text;
  $("said").classList.toggle("fault", isFault);
}
