/** What JSX becomes in the bundle: calls of these, which the bundler puts into every file that has some. */
export { Fragment, h } from "preact";
