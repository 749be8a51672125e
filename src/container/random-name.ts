const adjectives =
  'able amber brave bright brisk calm candid clear clever crisp daring eager early fair fleet fond frank fresh gentle glad grand happy hardy honest humble jolly keen kind light lively loyal lucky mellow merry mighty modest neat noble open patient plain polite proud quick quiet ready right robust sage sharp shiny silent sincere smart smooth solid steady still strong sturdy subtle sunny swift tidy tough true trusty upbeat valiant vivid warm wise witty zesty'.split(
    ' ',
  );
const ships =
  'argo aurora beagle bounty calypso clipper corvette cutter dhow discovery dory endeavour endurance ferry fram frigate galleon galley gondola hansa iris junk kayak ketch knarr kogge launch liner lugger mayflower mistral nautilus nina packet pilot pinnace pinta polaris privateer punt rover schooner scow skiff sloop sprite tender thames tjalk trawler trireme tug victoria victory viking vostok wherry xebec yawl zephyr'.split(
    ' ',
  );

const pick = (words: readonly string[]) => words[Math.floor(Math.random() * words.length)] ?? '';

/** A name for a container that was given none, such as `swift_schooner`. */
export function randomName(taken: (name: string) => boolean): string {
  for (let tries = 0; ; tries++) {
    const name = `${pick(adjectives)}_${pick(ships)}${tries > 5 ? Math.floor(Math.random() * 10_000) : ''}`;
    if (!taken(name)) return name;
  }
}
