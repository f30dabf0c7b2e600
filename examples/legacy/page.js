// Shared by the pages of this folder; each page loads it before its own script.

/** URL of the chat server: the query parameter `server`, or the origin of the page. */
const server = new URLSearchParams(location.search).get('server') ?? location.origin;

const lines = document.getElementById('lines');

/** Appends a line as plain text. */
function show(text, kind = 'message') {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = String(text);
  lines.append(line);
  line.scrollIntoView({ block: 'nearest' });
  return line;
}

/** Shows an error. */
function showProblem(error) {
  show((error && error.message) || error, 'problem');
}

/** Shows the state of the connection. */
function watch(socket) {
  const tell = (phase, text) => {
    document.body.dataset.phase = phase;
    document.getElementById('status').textContent = text;
  };
  tell('closed', `Connecting to ${server} …`);
  socket.on('connect', () => tell('open', `Connected to ${server}`));
  socket.on('disconnect', () => tell('closed', 'Connection lost …'));
}

/** Calls `act` with the fields of a form when it is submitted. */
function onSubmit(id, act) {
  const form = document.getElementById(id);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const pressed = event.submitter ? event.submitter.value : '';
    act(Object.fromEntries(new FormData(form)), pressed);
    const { text } = form.elements;
    if (text) text.value = '';
  });
}
