// What this tab remembers over a reload: JSON under a name in sessionStorage, gone when the tab is closed. And what this
// browser remembers for good: a word in localStorage.
// Where the browser forbids storage the page works on, and a reload starts anew.

export function load(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}

export function save(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Forbidden or full: nothing on the page depends on it.
  }
}

export function forget(name) {
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Forbidden: then nothing was kept either.
  }
}

export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name, word) {
  try {
    localStorage.setItem(name, word);
  } catch {
    // As above.
  }
}
