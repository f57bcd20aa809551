/* How the search ranks pages: those that say what to do come before those that list everything. */
const RANKS = { "how-to": 8, start: 8, tutorials: 5, explanation: 4, tests: 1, models: 1, api: -4, copies: -20 };

var Scorer = {
  score: ([page, , , , score]) => score + (RANKS[page.split("/")[0]] ?? 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
