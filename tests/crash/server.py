"""fake_api_server as a test drives it: started, told to stand still at a write, asked for its state."""
import json
import os
import queue
import subprocess
import threading


class Server:
    def __init__(self, program, directory, *options):
        self.kubeconfig = os.path.join(directory, "kubeconfig")
        self.process = subprocess.Popen([program, f"--kubeconfig={self.kubeconfig}", "--tick-ms=10", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line.strip()) for line in self.process.stdout],
                         daemon=True).start()
        if "--coder" in options:
            self.coder = "http://127.0.0.1:" + self.until("CODER-PORT").split()[1]
        self.api = "http://127.0.0.1:" + self.until("PORT").split()[1]

    def until(self, word):
        while True:
            line = self.lines.get(timeout=120)
            if line.startswith(word):
                return line

    def paused_or_ended(self, process):
        """Whether the server stands still at a write; False when the process has ended without it."""
        while True:
            try:
                if self.lines.get(timeout=0.1).startswith("PAUSED"):
                    return True
            except queue.Empty:
                if process.poll() is not None and self.lines.empty():
                    return False

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def state(self):
        self.tell("state")
        return json.loads(self.until("STATE")[len("STATE"):])

    def end(self):
        self.tell("quit")
        self.process.wait(30)
