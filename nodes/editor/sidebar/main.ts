// What is loaded when somebody looks at an inbox for the first time, and by nobody else.
import css from "./sidebar.css";

$("<style>").text(css).appendTo(document.head);

export { View } from "./view";
export { openWindow } from "./window";
