/** Calls may be begun and reset at once this many times … */
const burst = 1000;
/** … and then this often. Per second. */
const rate = 100;

/** CVE-2023-44487, "rapid reset": calls that are given up as soon as they are made cost their maker nothing, and us much. */
export class ResetBudget {
  #left = burst;
  #since = Date.now();

  /** False when it is used up. */
  take(): boolean {
    const now = Date.now();
    this.#left = Math.min(burst, this.#left + ((now - this.#since) / 1000) * rate);
    this.#since = now;
    this.#left--;
    return this.#left >= 0;
  }
}
