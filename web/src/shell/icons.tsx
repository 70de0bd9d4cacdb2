import type { ReactNode } from 'react';

function icon(shape: ReactNode) {
  return function Icon() {
    return (
      <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
        {shape}
      </svg>
    );
  };
}

export const CloseIcon = icon(<path d="M4 4l8 8M12 4l-8 8" />);
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />);
export const RunIcon = icon(<path className="solid" d="M5 3.2v9.6L13 8z" />);
export const StopIcon = icon(<path className="solid" d="M4.5 4.5h7v7h-7z" />);
export const LockIcon = icon(<path d="M4 7.5h8V13H4zM5.8 7.5V5.2a2.2 2.2 0 0 1 4.4 0v2.3" />);
export const BookIcon = icon(<path d="M8 4.2C6.6 3.2 4.6 3 2.5 3v9.2c2.1 0 4.1.2 5.5 1.2 1.4-1 3.4-1.2 5.5-1.2V3C11.4 3 9.4 3.2 8 4.2zm0 0v9.2" />);
export const PersonIcon = icon(<path d="M8 8.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.8 13.5c.5-2.4 2.5-3.6 5.2-3.6s4.7 1.2 5.2 3.6" />);
export const HelpIcon = icon(<path d="M6 6.2a2 2 0 1 1 2.9 1.9c-.6.3-.9.7-.9 1.4M8 12v.2M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z" />);
export const ClockIcon = icon(<path d="M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4.2V8l2.6 1.8" />);
export const LeftIcon = icon(<path d="M10 3.5L5.5 8l4.5 4.5" />);
export const RightIcon = icon(<path d="M6 3.5L10.5 8 6 12.5" />);
export const DownIcon = icon(<path d="M3.5 6L8 10.5 12.5 6" />);
