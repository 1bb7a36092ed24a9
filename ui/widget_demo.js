// The page to try the desk's component in: whom one chooses to be is signed in, and the token handed over.
"use strict";

{
  const desk = document.querySelector("storewise-desk");
  const who = document.querySelector("#who");

  const signIn = async () => {
    if (!who.value) return desk.removeAttribute("token");
    const response = await fetch("/widget-demo/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user_id: who.value }),
    });
    const told = await response.json();
    if (response.ok) desk.setAttribute("token", told.token);
    else desk.removeAttribute("token");
  };

  who.addEventListener("change", signIn);
  if (who.value) signIn(); // a browser may have kept the choice over a reload
}
