import { boolean, type Flag, list, text } from '../flags.ts';

export const filterFlag = list('filter', 'Keep what matches a condition', 'f', 'filter');
/** Where `-f` means `--force`. */
export const plainFilterFlag = list('filter', 'Take only what matches a condition', undefined, 'filter');
export const formatFlag = text('format', 'Print as "table", "table TEMPLATE", "json" or by a Go template');
export const documentFormatFlag = text('format', 'Print as "json" or by a Go template', 'f');
export const noTruncFlag = boolean('no-trunc', 'Do not shorten what is printed');
export const platformFlag = text('platform', 'Platform, as os[/arch[/variant]]');
export const quietFlag = (what: string): Flag => boolean('quiet', what, 'q');
export const forceFlag = (what: string): Flag => boolean('force', what, 'f');
