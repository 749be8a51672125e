import type { Instruction } from '../instruction.ts';
import type { NearestWord } from './nearest.ts';
import { commandRules } from './recommended-commands.ts';
import { imageRules } from './recommended-images.ts';
import { stageRules } from './recommended-stages.ts';
import type { Reporter } from './reporter.ts';
import type { LintRule, RuleHead } from './rule.ts';
import type { StageGraph, StageNode } from './stage-graph.ts';

/** A rule that docker does not have: about images, stages or the commands that RUN runs. */
export interface RecommendedRule extends LintRule<readonly string[]> {
  readonly find: (node: StageNode, graph: StageGraph, words: NearestWord) => Iterable<Finding>;
}

/** The instruction at fault, then what the rule's format takes. */
export type Finding = readonly [at: Instruction, ...found: string[]];

/** Nobody who knows docker expects them: the file or the build asks for them (`experimental=all`, or by name). */
const experimental = true;

const rules: readonly RecommendedRule[] = [...imageRules, ...stageRules, ...commandRules];

export const recommendedRules: readonly RuleHead[] = rules.map(({ find: _, ...rule }) => ({ ...rule, experimental }));

export function checkRecommended(graph: StageGraph, reporter: Reporter): void {
  for (const node of graph.nodes) {
    for (const rule of rules) {
      for (const [at, ...found] of rule.find(node, graph, reporter.nearest))
        reporter.report({ ...rule, experimental }, at, ...found);
    }
  }
}
