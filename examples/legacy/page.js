// What the pages of this folder share; each loads it before its own script.

/** The server: `?server=http://…`, or the one that the page is from. */
const server = new URLSearchParams(location.search).get('server') ?? location.origin;

const lines = document.getElementById('lines');

/** Shows a line; whatever it says is text. */
function show(text, kind = 'message') {
  const line = document.createElement('li');
  line.className = kind;
  line.textContent = String(text);
  lines.append(line);
  line.scrollIntoView({ block: 'nearest' });
  return line;
}

/** Shows why something was refused. */
function showProblem(error) {
  show((error && error.message) || error, 'problem');
}

/** Tells whether the page is connected. */
function watch(socket) {
  const tell = (phase, text) => {
    document.body.dataset.phase = phase;
    document.getElementById('status').textContent = text;
  };
  tell('closed', `Connecting to ${server} …`);
  socket.on('connect', () => tell('open', `Connected to ${server}`));
  socket.on('disconnect', () => tell('closed', 'The connection is lost …'));
}

/** Has a form do something in place of loading a page; `act` is given its fields. */
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
