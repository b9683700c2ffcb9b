// The page of the one-time link: what stands behind the # of its address never reaches the server but in the request
// that makes the first administrator.
const form = document.getElementById('form');
const fault = document.getElementById('fault');

function tell(message) {
  fault.textContent = message;
  fault.hidden = message === '';
}

async function makeAdministrator({ again, ...fields }) {
  if (again !== fields.password) return '两次输入的密码不同。The passwords differ.';
  const response = await fetch('/api/set-up', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret: location.hash.slice(1), ...fields }),
  });
  if (response.ok) return null;
  const problem = await response.json().catch(() => ({}));
  return [problem.code, problem.detail ?? problem.title, problem.todo].filter(Boolean).join('\n');
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  tell('');
  const refusal = await makeAdministrator(Object.fromEntries(new FormData(form))).catch(
    () => '服务器没有回答，请稍后再试。The server does not answer; try again.',
  );
  button.disabled = false;
  if (refusal !== null) return tell(refusal);
  // The link is used: it need not stay in the browser's history.
  history.replaceState(null, '', '/set-up');
  const done = document.getElementById('done');
  done.textContent =
    '管理员帐号已建立，您已登录。下一步：npx popshare user add，或 /api/docs 中的 /api/accounts。The administrator is made, and you are signed in. Next: npx popshare user add, or /api/accounts in /api/docs.';
  done.hidden = false;
  form.hidden = true;
  document.getElementById('introduction').hidden = true;
});
