import { escapeHtml, type Page } from './page.ts';

export function renderAskPage(): Page {
  return {
    title: 'Password of a desktop',
    body: '<h1>Password of a desktop</h1><p>It is shown once. Have a safe place for it ready, and nobody behind you.</p><form method="post"><button>Show the password</button></form>',
  };
}

export function renderGonePage(): Page {
  return {
    title: 'Nothing to show',
    body: '<h1>Nothing to show</h1><p>This link was used, or its ten minutes are over, or whoever made it may not read the password any more. If you did not use it yourself, ask for a new password. Otherwise ask for a new link.</p>',
  };
}

export function renderPasswordPage(shown: {
  readonly desktop: string;
  readonly username: string;
  readonly password: string;
}): Page {
  const { desktop, username, password } = shown;
  return {
    title: `Password of ${desktop}`,
    body: `<h1>Password of ${escapeHtml(desktop)}</h1><dl><dt>User</dt><dd><output>${escapeHtml(username)}</output></dd><dt>Password</dt><dd><output>${escapeHtml(password)}</output></dd></dl><p>This page cannot be opened again.</p>`,
  };
}
