// What of FullCalendar the dashboard's calendar uses, as one file; its styles come beside it.
import { Calendar } from "fullcalendar";
import dayGrid from "fullcalendar/daygrid";
import interaction from "fullcalendar/interaction";
import list from "fullcalendar/list";
import de from "fullcalendar/locales/de";
import nl from "fullcalendar/locales/nl";
import pl from "fullcalendar/locales/pl";
import theme from "fullcalendar/themes/classic";
import timeGrid from "fullcalendar/timegrid";

export { Calendar };
export const plugins = [interaction, dayGrid, timeGrid, list, theme];
export const locales = [de, nl, pl];
