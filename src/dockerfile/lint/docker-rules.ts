import { didYouMean, dockerRule, quoted, type RuleHead } from './rule.ts';

/** The rules of docker's build checks; names, descriptions and messages are an interface that tools and people search for. */
export const stageNameCasing = dockerRule(
  'StageNameCasing',
  'Stage names should be lowercase',
  (stage: string) => `Stage name '${stage}' should be lowercase`,
);

export const fromAsCasing = dockerRule(
  'FromAsCasing',
  "The 'as' keyword should match the case of the 'from' keyword",
  (from: string, as: string) => `'${as}' and '${from}' keywords' casing do not match`,
);

export const noEmptyContinuation = dockerRule(
  'NoEmptyContinuation',
  'Empty continuation lines will become errors in a future release',
  () => 'Empty continuation line',
);

export const consistentInstructionCasing = dockerRule(
  'ConsistentInstructionCasing',
  'All commands within the Dockerfile should use the same casing (either upper or lower)',
  (keyword: string, casing: 'lowercase' | 'uppercase') =>
    `Command '${keyword}' should match the case of the command majority (${casing})`,
);

export const duplicateStageName = dockerRule(
  'DuplicateStageName',
  'Stage names should be unique',
  (stage: string) => `Duplicate stage name ${quoted(stage)}, stage names should be unique`,
);

export const reservedStageName = dockerRule(
  'ReservedStageName',
  'Reserved words should not be used as stage names',
  (stage: string) => `Stage name should not use the same name as reserved stage ${quoted(stage)}`,
);

export const jsonArgsRecommended = dockerRule(
  'JSONArgsRecommended',
  'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  (keyword: string) => `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`,
);

export const maintainerDeprecated = dockerRule(
  'MaintainerDeprecated',
  'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  () => 'Maintainer instruction is deprecated in favor of using label',
);

export const undefinedArgInFrom = dockerRule(
  'UndefinedArgInFrom',
  'FROM command must use declared ARGs',
  (arg: string, near: string | undefined) => `FROM argument '${arg}' is not declared${didYouMean(near)}`,
);

export const workdirRelativePath = dockerRule(
  'WorkdirRelativePath',
  'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  (path: string) => `Relative workdir ${quoted(path)} can have unexpected results if the base image changes`,
);

export const undefinedVar = dockerRule(
  'UndefinedVar',
  'Variables should be defined before their use',
  (name: string, near: string | undefined) =>
    `Usage of undefined variable '$${name}'${didYouMean(near === undefined ? undefined : `$${near}`)}`,
);

export const multipleInstructionsDisallowed = dockerRule(
  'MultipleInstructionsDisallowed',
  'Multiple instructions of the same type should not be used in the same stage',
  (keyword: string) =>
    `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`,
);

export const legacyKeyValueFormat = dockerRule(
  'LegacyKeyValueFormat',
  'Legacy key/value format with whitespace separator should not be used',
  (keyword: string) => `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`,
);

export const invalidBaseImagePlatform = {
  ...dockerRule(
    'InvalidBaseImagePlatform',
    'Base image platform does not match expected target platform',
    (image: string, expected: string, actual: string) =>
      `Base image ${image} was pulled with platform ${quoted(actual)}, expected ${quoted(expected)} for current build`,
  ),
  // Docker has no page for it.
  url: undefined,
};

export const redundantTargetPlatform = dockerRule(
  'RedundantTargetPlatform',
  'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  (variable: string) =>
    `Setting platform to predefined ${variable} in FROM is redundant as this is the default behavior`,
);

export const secretsUsedInArgOrEnv = dockerRule(
  'SecretsUsedInArgOrEnv',
  'Sensitive data should not be used in the ARG or ENV commands',
  (instruction: 'ARG' | 'ENV', key: string) =>
    `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quoted(key)})`,
);

export const invalidDefaultArgInFrom = dockerRule(
  'InvalidDefaultArgInFrom',
  'Default value for global ARG results in an empty or invalid base image name',
  (image: string) => `Default value for ARG ${image} results in empty or invalid base image name`,
);

export const fromPlatformFlagConstDisallowed = dockerRule(
  'FromPlatformFlagConstDisallowed',
  'FROM --platform flag should not use a constant value',
  (platform: string) => `FROM --platform flag should not use constant value ${quoted(platform)}`,
);

export const copyIgnoredFile = dockerRule(
  'CopyIgnoredFile',
  'Attempting to Copy file that is excluded by .dockerignore',
  (instruction: 'Copy' | 'Add', file: string) =>
    `Attempting to ${instruction} file ${quoted(file)} that is excluded by .dockerignore`,
);

export const invalidDefinitionDescription = dockerRule(
  'InvalidDefinitionDescription',
  'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
  (instruction: 'ARG' | 'FROM', name: string) =>
    `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
  true,
);

export const exposeProtoCasing = dockerRule(
  'ExposeProtoCasing',
  'Protocol in EXPOSE instruction should be lowercase',
  (port: string) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
);

export const exposeInvalidFormat = dockerRule(
  'ExposeInvalidFormat',
  'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  (port: string) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
);

export const dockerRules: readonly RuleHead[] = [
  stageNameCasing,
  fromAsCasing,
  noEmptyContinuation,
  consistentInstructionCasing,
  duplicateStageName,
  reservedStageName,
  jsonArgsRecommended,
  maintainerDeprecated,
  undefinedArgInFrom,
  workdirRelativePath,
  undefinedVar,
  multipleInstructionsDisallowed,
  legacyKeyValueFormat,
  invalidBaseImagePlatform,
  redundantTargetPlatform,
  secretsUsedInArgOrEnv,
  invalidDefaultArgInFrom,
  fromPlatformFlagConstDisallowed,
  copyIgnoredFile,
  invalidDefinitionDescription,
  exposeProtoCasing,
  exposeInvalidFormat,
];
