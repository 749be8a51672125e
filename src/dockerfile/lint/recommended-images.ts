import { hasTagOrDigest } from './image-name.ts';
import type { RecommendedRule } from './recommended.ts';
import type { StageNode } from './stage-graph.ts';

const isImage = ({ base, baseName }: StageNode) => base === undefined && baseName !== 'scratch';

const pinImageTag: RecommendedRule = {
  name: 'PinImageTag',
  description: 'A base image without a tag changes under your feet',
  hint: 'name a version, such as node:22-slim, or a digest',
  format: (image) => `Base image ${image} has no tag, which means latest`,
  *find(node) {
    if (isImage(node) && !node.stage.from.image.includes('$') && !hasTagOrDigest(node.baseName))
      yield [node.stage.from, node.baseName];
  },
};

const avoidLatestTag: RecommendedRule = {
  name: 'AvoidLatestTag',
  description: 'The tag latest names another image tomorrow',
  hint: 'name a version, such as node:22-slim, or a digest',
  format: (image) => `Base image ${image} is a moving target`,
  *find(node) {
    if (isImage(node) && /:latest$/.test(node.baseName)) yield [node.stage.from, node.baseName];
  },
};

/** `FROM buidl` is a request to a registry, and whoever owns that name there answers it. */
const misspelledStage: RecommendedRule = {
  name: 'MisspelledStage',
  description: 'A name that is nearly that of a stage is taken for an image',
  hint: 'correct the name, or name the image with its registry or tag',
  format: (name, near) => `'${name}' is no stage (did you mean ${near}?)`,
  *find(node, graph, words) {
    const isSuspect = (name: string) =>
      /^[a-z][\w.-]{2,}$/i.test(name) && name !== 'scratch' && graph.find(name) === undefined;
    if (isImage(node) && isSuspect(node.baseName)) {
      const near = words.find(node.baseName, graph.stageNames);
      if (near !== undefined) yield [node.stage.from, node.baseName, near];
    }
    for (const instruction of node.stage.instructions) {
      const from = instruction.name === 'copy' ? instruction.from : undefined;
      if (from === undefined || !isSuspect(from)) continue;
      const near = words.find(from, graph.stageNames);
      if (near !== undefined) yield [instruction, from, near];
    }
  },
};

export const imageRules: readonly RecommendedRule[] = [pinImageTag, avoidLatestTag, misspelledStage];
