-- SPDX-License-Identifier: Apache-2.0
--
-- EXPLAIN shows estimates also for the arm of a view that is not the caller's, and these are made from statistics: samples
-- of real values, which a reader could find by halving ranges. So there are none of what readers must not see. The
-- planner still knows that user_key is unique, by its index.

ALTER TABLE person ALTER user_key SET STATISTICS 0, ALTER pseudonym SET STATISTICS 0;
ALTER TABLE team ALTER name SET STATISTICS 0;
ALTER TABLE person_team_row ALTER team SET STATISTICS 0;
ALTER TABLE source_rule ALTER team SET STATISTICS 0, ALTER note SET STATISTICS 0;
ALTER TABLE app ALTER name SET STATISTICS 0;
ALTER TABLE session_slot ALTER session_key SET STATISTICS 0, ALTER shown_key SET STATISTICS 0;
ALTER TABLE dead_letter_row ALTER detail SET STATISTICS 0, ALTER payload_excerpt SET STATISTICS 0;
ALTER TABLE person_login ALTER login SET STATISTICS 0;
ALTER TABLE setting ALTER value SET STATISTICS 0;
ALTER TABLE erased_key ALTER hash SET STATISTICS 0;
ALTER TABLE title_flag_row ALTER evidence SET STATISTICS 0, ALTER reason SET STATISTICS 0;
ALTER TABLE audit_log ALTER detail SET STATISTICS 0;
