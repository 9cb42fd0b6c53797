// Asking the server: with the token, again when it is busy, and errors of one shape.

const TRIES = 6;
const FIRST_PAUSE = 1000;

let token = "";

export function useToken(text) {
  token = text;
}

export async function ask(path, options = {}) {
  let response;
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { code: "away", message: "The server does not answer", remedy: "Is it still running?" };
  }
  if (response.ok) return response;
  try {
    throw (await response.json()).error;
  } catch (error) {
    if (error && error.code) throw error;
    throw { code: "unknown", message: `The server answers ${response.status}`, remedy: "" };
  }
}

export async function predict(file, { signal, heat, label, preview = false, waits = () => {} }) {
  const query = new URLSearchParams({ cases: label ? 0 : 6, heat, preview });
  if (label) query.set("label", label);
  for (let pause = FIRST_PAUSE, tries = 1; ; pause *= 2, tries += 1) {
    const body = new FormData();
    body.append("images", file, file.name);
    try {
      const found = await ask(`/api/predict?${query}`, { method: "POST", body, signal });
      return (await found.json()).images[0];
    } catch (error) {
      if (error.code !== "too_busy" || tries === TRIES) throw error;
    }
    waits();
    // Those who were turned away together shall not come back together.
    await new Promise((resume) => setTimeout(resume, pause * (0.5 + Math.random())));
    signal.throwIfAborted();
  }
}

export function words(error) {
  return [error.message, error.remedy]
    .filter(Boolean)
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1).replace(/\.$/, "")}.`)
    .join(" ");
}
