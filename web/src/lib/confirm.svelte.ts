export interface Question {
  title: string;
  text: string;
  ok: string;
  danger?: boolean;
  /** Asks for a number besides the answer. */
  number?: { label: string; value: number; min: number; max: number };
  /** Asks for a text besides the answer. */
  note?: { label: string };
}

export interface Answer {
  number: number;
  note: string;
}

interface Open extends Question {
  settle: (answer: Answer | null) => void;
}

class Confirm {
  open = $state.raw<Open | null>(null);

  /** Resolves to null when the person does not want to. A second question ends the first that way. */
  ask(question: Question): Promise<Answer | null> {
    this.open?.settle(null);
    return new Promise((resolve) => {
      this.open = {
        ...question,
        settle: (answer) => {
          this.open = null;
          resolve(answer);
        },
      };
    });
  }
}

export const confirm = new Confirm();
