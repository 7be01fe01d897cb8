/** The sign of ChatKet: a speech bubble cut like a ticket. */
export function Logo() {
  return (
    <svg class="logo" aria-hidden="true">
      <use href="#icon-logo" />
    </svg>
  );
}
