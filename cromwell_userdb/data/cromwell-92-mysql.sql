-- Cromwell's tables as release 92 leaves them on MySQL, and the rows by which its Liquibase
-- knows that: recorded from a real one. A statement ends with a semicolon at the end of a line.

CREATE TABLE `cromwell`.`CALL_CACHING_ENTRY` (
  `CALL_CACHING_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) DEFAULT NULL,
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) DEFAULT NULL,
  `JOB_INDEX` int DEFAULT NULL,
  `RETURN_CODE` int DEFAULT NULL,
  `ALLOW_RESULT_REUSE` tinyint DEFAULT '1',
  `JOB_ATTEMPT` int DEFAULT NULL,
  `CREATED_AT` datetime(6) NOT NULL,
  PRIMARY KEY (`CALL_CACHING_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_ENTRY_WEU_CFQN_JI` (`WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`JOB_INDEX`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CALL_CACHING_HASH_ENTRY` (
  `CALL_CACHING_HASH_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `HASH_KEY` varchar(255) NOT NULL,
  `HASH_VALUE` varchar(255) NOT NULL,
  `CALL_CACHING_ENTRY_ID` bigint DEFAULT NULL,
  PRIMARY KEY (`CALL_CACHING_HASH_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_HASH_ENTRY_CCEI_HK` (`CALL_CACHING_ENTRY_ID`,`HASH_KEY`),
  CONSTRAINT `FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID` FOREIGN KEY (`CALL_CACHING_ENTRY_ID`) REFERENCES `CALL_CACHING_ENTRY` (`CALL_CACHING_ENTRY_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CALL_CACHING_SIMPLETON_ENTRY` (
  `CALL_CACHING_SIMPLETON_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `SIMPLETON_KEY` varchar(255) NOT NULL,
  `SIMPLETON_VALUE` longtext,
  `WDL_TYPE` varchar(255) NOT NULL,
  `CALL_CACHING_ENTRY_ID` bigint DEFAULT NULL,
  PRIMARY KEY (`CALL_CACHING_SIMPLETON_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_SIMPLETON_ENTRY_CCEI_SK` (`CALL_CACHING_ENTRY_ID`,`SIMPLETON_KEY`),
  CONSTRAINT `FK_CALL_CACHING_SIMPLETON_ENTRY_CALL_CACHING_ENTRY_ID` FOREIGN KEY (`CALL_CACHING_ENTRY_ID`) REFERENCES `CALL_CACHING_ENTRY` (`CALL_CACHING_ENTRY_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`DATABASECHANGELOG` (
  `ID` varchar(255) NOT NULL,
  `AUTHOR` varchar(255) NOT NULL,
  `FILENAME` varchar(255) NOT NULL,
  `DATEEXECUTED` datetime NOT NULL,
  `ORDEREXECUTED` int NOT NULL,
  `EXECTYPE` varchar(10) NOT NULL,
  `MD5SUM` varchar(35) DEFAULT NULL,
  `DESCRIPTION` varchar(255) DEFAULT NULL,
  `COMMENTS` varchar(255) DEFAULT NULL,
  `TAG` varchar(255) DEFAULT NULL,
  `LIQUIBASE` varchar(20) DEFAULT NULL,
  `CONTEXTS` varchar(255) DEFAULT NULL,
  `LABELS` varchar(255) DEFAULT NULL,
  `DEPLOYMENT_ID` varchar(10) DEFAULT NULL
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`DATABASECHANGELOGLOCK` (
  `ID` int NOT NULL,
  `LOCKED` bit(1) NOT NULL,
  `LOCKGRANTED` datetime DEFAULT NULL,
  `LOCKEDBY` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`DOCKER_HASH_STORE_ENTRY` (
  `DOCKER_HASH_STORE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `DOCKER_TAG` varchar(255) NOT NULL,
  `DOCKER_HASH` varchar(255) NOT NULL,
  `DOCKER_SIZE` bigint DEFAULT NULL,
  PRIMARY KEY (`DOCKER_HASH_STORE_ENTRY_ID`),
  UNIQUE KEY `UC_DOCKER_HASH_STORE_ENTRY_WEU_DT` (`WORKFLOW_EXECUTION_UUID`,`DOCKER_TAG`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`GROUP_METRICS_ENTRY` (
  `GROUP_METRICS_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `GROUP_ID` varchar(255) NOT NULL,
  `QUOTA_EXHAUSTION_DETECTED` datetime(6) NOT NULL,
  PRIMARY KEY (`GROUP_METRICS_ENTRY_ID`),
  UNIQUE KEY `UC_GROUP_METRICS_ENTRY_GI` (`GROUP_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`JOB_KEY_VALUE_ENTRY` (
  `JOB_KEY_VALUE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) DEFAULT NULL,
  `JOB_INDEX` int DEFAULT NULL,
  `JOB_ATTEMPT` int DEFAULT NULL,
  `STORE_KEY` varchar(255) NOT NULL,
  `STORE_VALUE` varchar(255) NOT NULL,
  PRIMARY KEY (`JOB_KEY_VALUE_ENTRY_ID`),
  UNIQUE KEY `UC_JOB_KEY_VALUE_ENTRY_WEU_CFQN_JI_JA_SK` (`WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`JOB_INDEX`,`JOB_ATTEMPT`,`STORE_KEY`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`JOB_STORE_ENTRY` (
  `JOB_STORE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) DEFAULT NULL,
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) DEFAULT NULL,
  `JOB_INDEX` int DEFAULT NULL,
  `JOB_ATTEMPT` int DEFAULT NULL,
  `JOB_SUCCESSFUL` tinyint NOT NULL,
  `RETURN_CODE` int DEFAULT NULL,
  `EXCEPTION_MESSAGE` longtext,
  `RETRYABLE_FAILURE` tinyint DEFAULT NULL,
  PRIMARY KEY (`JOB_STORE_ENTRY_ID`),
  UNIQUE KEY `UC_JOB_STORE_ENTRY_WEU_CFQN_JI_JA` (`WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`JOB_INDEX`,`JOB_ATTEMPT`),
  KEY `IX_JOB_STORE_ENTRY_WEU` (`WORKFLOW_EXECUTION_UUID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`JOB_STORE_SIMPLETON_ENTRY` (
  `JOB_STORE_SIMPLETON_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `SIMPLETON_KEY` varchar(255) NOT NULL,
  `SIMPLETON_VALUE` longtext,
  `WDL_TYPE` varchar(255) NOT NULL,
  `JOB_STORE_ENTRY_ID` bigint DEFAULT NULL,
  PRIMARY KEY (`JOB_STORE_SIMPLETON_ENTRY_ID`),
  UNIQUE KEY `UC_JOB_STORE_SIMPLETON_ENTRY_JSEI_SK` (`JOB_STORE_ENTRY_ID`,`SIMPLETON_KEY`),
  CONSTRAINT `FK_JOB_STORE_SIMPLETON_ENTRY_JOB_STORE_ENTRY_ID` FOREIGN KEY (`JOB_STORE_ENTRY_ID`) REFERENCES `JOB_STORE_ENTRY` (`JOB_STORE_ENTRY_ID`) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`METADATA_ENTRY` (
  `METADATA_JOURNAL_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `METADATA_KEY` varchar(255) NOT NULL,
  `CALL_FQN` varchar(255) DEFAULT NULL,
  `JOB_SCATTER_INDEX` int DEFAULT NULL,
  `JOB_RETRY_ATTEMPT` int DEFAULT NULL,
  `METADATA_VALUE` longtext,
  `METADATA_TIMESTAMP` datetime(6) NOT NULL,
  `METADATA_VALUE_TYPE` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`METADATA_JOURNAL_ID`),
  KEY `IX_METADATA_ENTRY_WEU_MK` (`WORKFLOW_EXECUTION_UUID`,`METADATA_KEY`),
  KEY `IX_METADATA_ENTRY_WEU_CFQN_JSI_JRA_MK` (`WORKFLOW_EXECUTION_UUID`,`CALL_FQN`,`JOB_SCATTER_INDEX`,`JOB_RETRY_ATTEMPT`,`METADATA_KEY`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`SQLMETADATADATABASECHANGELOG` (
  `ID` varchar(255) NOT NULL,
  `AUTHOR` varchar(255) NOT NULL,
  `FILENAME` varchar(255) NOT NULL,
  `DATEEXECUTED` datetime NOT NULL,
  `ORDEREXECUTED` int NOT NULL,
  `EXECTYPE` varchar(10) NOT NULL,
  `MD5SUM` varchar(35) DEFAULT NULL,
  `DESCRIPTION` varchar(255) DEFAULT NULL,
  `COMMENTS` varchar(255) DEFAULT NULL,
  `TAG` varchar(255) DEFAULT NULL,
  `LIQUIBASE` varchar(20) DEFAULT NULL,
  `CONTEXTS` varchar(255) DEFAULT NULL,
  `LABELS` varchar(255) DEFAULT NULL,
  `DEPLOYMENT_ID` varchar(10) DEFAULT NULL
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`SQLMETADATADATABASECHANGELOGLOCK` (
  `ID` int NOT NULL,
  `LOCKED` bit(1) NOT NULL,
  `LOCKGRANTED` datetime DEFAULT NULL,
  `LOCKEDBY` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`SUMMARY_QUEUE_ENTRY` (
  `METADATA_JOURNAL_ID` bigint NOT NULL,
  PRIMARY KEY (`METADATA_JOURNAL_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`SUMMARY_STATUS_ENTRY` (
  `SUMMARY_STATUS_ENTRY_ID` int NOT NULL AUTO_INCREMENT,
  `SUMMARY_NAME` varchar(255) DEFAULT NULL,
  `SUMMARY_POSITION` bigint DEFAULT NULL,
  PRIMARY KEY (`SUMMARY_STATUS_ENTRY_ID`),
  UNIQUE KEY `UC_SUMMARY_STATUS_ENTRY_SN` (`SUMMARY_NAME`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`WORKFLOW_METADATA_SUMMARY_ENTRY` (
  `WORKFLOW_METADATA_SUMMARY_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(100) NOT NULL,
  `WORKFLOW_NAME` varchar(100) DEFAULT NULL,
  `WORKFLOW_STATUS` varchar(50) DEFAULT NULL,
  `START_TIMESTAMP` datetime(6) DEFAULT NULL,
  `END_TIMESTAMP` datetime(6) DEFAULT NULL,
  `SUBMISSION_TIMESTAMP` datetime(6) DEFAULT NULL,
  `PARENT_WORKFLOW_EXECUTION_UUID` varchar(100) DEFAULT NULL,
  `ROOT_WORKFLOW_EXECUTION_UUID` varchar(100) DEFAULT NULL,
  `METADATA_ARCHIVE_STATUS` varchar(30) DEFAULT NULL,
  PRIMARY KEY (`WORKFLOW_METADATA_SUMMARY_ENTRY_ID`),
  UNIQUE KEY `UC_WORKFLOW_METADATA_SUMMARY_ENTRY_WEU` (`WORKFLOW_EXECUTION_UUID`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_WN` (`WORKFLOW_NAME`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_WS` (`WORKFLOW_STATUS`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_PWEU` (`PARENT_WORKFLOW_EXECUTION_UUID`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_RWEU` (`ROOT_WORKFLOW_EXECUTION_UUID`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS_ET` (`METADATA_ARCHIVE_STATUS`,`END_TIMESTAMP`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`WORKFLOW_STORE_ENTRY` (
  `WORKFLOW_STORE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) DEFAULT NULL,
  `WORKFLOW_DEFINITION` longtext,
  `WORKFLOW_INPUTS` longtext,
  `WORKFLOW_OPTIONS` longtext,
  `WORKFLOW_STATE` varchar(20) DEFAULT NULL,
  `SUBMISSION_TIME` datetime(6) NOT NULL,
  `IMPORTS_ZIP` longblob,
  `CUSTOM_LABELS` longtext NOT NULL,
  `WORKFLOW_TYPE` varchar(30) DEFAULT NULL,
  `WORKFLOW_TYPE_VERSION` varchar(255) DEFAULT NULL,
  `WORKFLOW_ROOT` varchar(100) DEFAULT NULL,
  `CROMWELL_ID` varchar(100) DEFAULT NULL,
  `HEARTBEAT_TIMESTAMP` datetime(6) DEFAULT NULL,
  `WORKFLOW_URL` varchar(2000) DEFAULT NULL,
  `HOG_GROUP` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`WORKFLOW_STORE_ENTRY_ID`),
  UNIQUE KEY `UC_WORKFLOW_STORE_ENTRY_WEU` (`WORKFLOW_EXECUTION_UUID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CALL_CACHING_AGGREGATION_ENTRY` (
  `CALL_CACHING_AGGREGATION_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `CALL_CACHING_ENTRY_ID` bigint NOT NULL,
  `BASE_AGGREGATION` varchar(255) NOT NULL,
  `INPUT_FILES_AGGREGATION` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`CALL_CACHING_AGGREGATION_ENTRY_ID`),
  KEY `IX_CALL_CACHING_AGGREGATION_ENTRY_BA_IFA` (`BASE_AGGREGATION`,`INPUT_FILES_AGGREGATION`),
  KEY `FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID` (`CALL_CACHING_ENTRY_ID`),
  CONSTRAINT `FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID` FOREIGN KEY (`CALL_CACHING_ENTRY_ID`) REFERENCES `CALL_CACHING_ENTRY` (`CALL_CACHING_ENTRY_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CALL_CACHING_DETRITUS_ENTRY` (
  `CALL_CACHING_DETRITUS_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `DETRITUS_KEY` varchar(255) DEFAULT NULL,
  `DETRITUS_VALUE` longtext,
  `CALL_CACHING_ENTRY_ID` bigint DEFAULT NULL,
  PRIMARY KEY (`CALL_CACHING_DETRITUS_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_DETRITUS_ENTRY_CCEI_DK` (`CALL_CACHING_ENTRY_ID`,`DETRITUS_KEY`),
  CONSTRAINT `FK_CALL_CACHING_DETRITUS_ENTRY_CALL_CACHING_ENTRY_ID` FOREIGN KEY (`CALL_CACHING_ENTRY_ID`) REFERENCES `CALL_CACHING_ENTRY` (`CALL_CACHING_ENTRY_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CUSTOM_LABEL_ENTRY` (
  `CUSTOM_LABEL_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `CUSTOM_LABEL_KEY` varchar(255) DEFAULT NULL,
  `CUSTOM_LABEL_VALUE` varchar(255) DEFAULT NULL,
  `WORKFLOW_EXECUTION_UUID` varchar(100) NOT NULL,
  PRIMARY KEY (`CUSTOM_LABEL_ENTRY_ID`),
  UNIQUE KEY `UC_CUSTOM_LABEL_ENTRY_CLK_WEU` (`CUSTOM_LABEL_KEY`,`WORKFLOW_EXECUTION_UUID`),
  KEY `SYS_IDX_11226` (`WORKFLOW_EXECUTION_UUID`),
  KEY `IX_CUSTOM_LABEL_ENTRY_CLK_CLV` (`CUSTOM_LABEL_KEY`,`CUSTOM_LABEL_VALUE`),
  CONSTRAINT `FK_CUSTOM_LABEL_ENTRY_WORKFLOW_EXECUTION_UUID` FOREIGN KEY (`WORKFLOW_EXECUTION_UUID`) REFERENCES `WORKFLOW_METADATA_SUMMARY_ENTRY` (`WORKFLOW_EXECUTION_UUID`) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`SUB_WORKFLOW_STORE_ENTRY` (
  `SUB_WORKFLOW_STORE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `ROOT_WORKFLOW_ID` bigint NOT NULL,
  `PARENT_WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) NOT NULL,
  `CALL_INDEX` int NOT NULL,
  `CALL_ATTEMPT` int NOT NULL,
  `SUB_WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  PRIMARY KEY (`SUB_WORKFLOW_STORE_ENTRY_ID`),
  UNIQUE KEY `UC_SUB_WORKFLOW_STORE_ENTRY_PWEU_CFQN_CI_CA` (`PARENT_WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`CALL_INDEX`,`CALL_ATTEMPT`),
  KEY `IX_SUB_WORKFLOW_STORE_ENTRY_PWEU` (`PARENT_WORKFLOW_EXECUTION_UUID`),
  KEY `FK_SUB_WORKFLOW_STORE_ENTRY_ROOT_WORKFLOW_ID` (`ROOT_WORKFLOW_ID`),
  CONSTRAINT `FK_SUB_WORKFLOW_STORE_ENTRY_ROOT_WORKFLOW_ID` FOREIGN KEY (`ROOT_WORKFLOW_ID`) REFERENCES `WORKFLOW_STORE_ENTRY` (`WORKFLOW_STORE_ENTRY_ID`) ON DELETE CASCADE
) ENGINE=InnoDB;

INSERT INTO `cromwell`.`DATABASECHANGELOG` VALUES
('db_schema_other_table_alldb', 'scottfrazer', 'changesets/db_schema.xml', '2026-01-01 00:00:00', 1, 'EXECUTED', '8:a911def86edfb0187b1ce94210eba8e0', 'createTable tableName=WORKFLOW_EXECUTION; createTable tableName=EXECUTION; createTable tableName=JES_JOB; createTable tableName=LOCAL_JOB', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('db_schema_symbol_table_mysql', 'scottfrazer', 'changesets/db_schema.xml', '2026-01-01 00:00:00', 2, 'EXECUTED', '8:b25216a5f9040a9fd2ed9ba1d840e834', 'createTable tableName=SYMBOL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('db_schema_constraints', 'scottfrazer', 'changesets/db_schema.xml', '2026-01-01 00:00:00', 3, 'EXECUTED', '8:b50d724a572d3ab9694a5be21f8ecd17', 'createIndex indexName=STATUS_IDX, tableName=WORKFLOW_EXECUTION; addForeignKeyConstraint baseTableName=SYMBOL, constraintName=FK_SYMBOL_WORKFLOW_EXECUTION_ID, referencedTableName=WORKFLOW_EXECUTION; addForeignKeyConstraint baseTableName=EXECUTION, ...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('symbol_iteration_null', 'kshakir', 'changesets/symbol_iteration_null.xml', '2026-01-01 00:00:00', 4, 'EXECUTED', '8:4a702fe67e527aecaf31519dc6ac6e39', 'dropNotNullConstraint columnName=ITERATION, tableName=SYMBOL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('WORKFLOW_EXECUTION_AUX', 'mcovarr', 'changesets/wdl_and_inputs.xml', '2026-01-01 00:00:00', 5, 'EXECUTED', '8:7ff97aa65d99c636be5af2f198117200', 'createTable tableName=WORKFLOW_EXECUTION_AUX', 'Auxiliary data related to a workflow execution not stored with the workflow execution itself\n            for size reasons.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('WE_AUX_CONSTRAINTS', 'mcovarr', 'changesets/wdl_and_inputs.xml', '2026-01-01 00:00:00', 6, 'EXECUTED', '8:40a706d76cfe26accfa05d86f387bc8c', 'addForeignKeyConstraint baseTableName=WORKFLOW_EXECUTION_AUX, constraintName=FK_WE_AUX_WORKFLOW_EXECUTION_ID, referencedTableName=WORKFLOW_EXECUTION; addUniqueConstraint constraintName=UK_WE_AUX_WORKFLOW_EXECUTION_ID, tableName=WORKFLOW_EXECUTION_AUX', 'This adds:\n            A foreign key constraint from WORKFLOW_EXECUTION_ID to WORKFLOW_EXECUTION.WORKFLOW_EXECUTION_ID.\n            A unique constraint on WORKFLOW_EXECUTION_ID as WORKFLOW_EXECUTION_AUX is one-to-one with WORKFLOW_EXECUTION.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_workflow_uri_and_local_command', 'kshakir', 'changesets/drop_workflow_uri_and_local_command.xml', '2026-01-01 00:00:00', 7, 'EXECUTED', '8:ba69461984c2721feac74104f7e7d3af', 'dropColumn columnName=WDL_URI, tableName=WORKFLOW_EXECUTION; dropColumn columnName=COMMAND, tableName=LOCAL_JOB', 'Workflow URI is not needed in the DB.\n            Local jobs don\'t need to store the command either.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('local_job_allow_null', 'kshakir', 'changesets/local_job_allow_null.xml', '2026-01-01 00:00:00', 8, 'EXECUTED', '8:b3c0e1695392e1e762b52bdcc5285a7b', 'dropNotNullConstraint columnName=PID, tableName=LOCAL_JOB; dropNotNullConstraint columnName=RC, tableName=LOCAL_JOB', 'The local jobs don\'t have process ID and result codes at the start.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('symbol_iteration_not_null', 'kshakir', 'changesets/symbol_iteration_not_null.xml', '2026-01-01 00:00:00', 9, 'EXECUTED', '8:e0a5a033e2682e7deced69e937ab712b', 'addNotNullConstraint columnName=ITERATION, tableName=SYMBOL', 'Thanks to \"Not a bug\" https://bugs.mysql.com/bug.php?id=8173,\n            Need to store flag values in the db to make the unique constraint work', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_unique_constraints', 'kshakir', 'changesets/add_unique_constraints.xml', '2026-01-01 00:00:00', 10, 'EXECUTED', '8:01f0fe258094ae5232b42d4866d5fd05', 'addUniqueConstraint constraintName=UK_WE_WORKFLOW_EXECUTION_UUID, tableName=WORKFLOW_EXECUTION; addUniqueConstraint constraintName=UK_EX_WORKFLOW_EXECUTION_ID, tableName=EXECUTION; addUniqueConstraint constraintName=UK_SYM_WORKFLOW_EXECUTION_ID_SC...', 'Adds unique constraints to other tables besides the existing\n            key WORKFLOW_EXECUTION_AUX.UK_WE_AUX_WORKFLOW_EXECUTION_ID.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('LENGTHEN_WDL_VALUE', 'sfrazer', 'changesets/lengthen_wdl_value.xml', '2026-01-01 00:00:00', 11, 'EXECUTED', '8:2d3c30a5f2b799e677c970fe6c43664f', 'modifyDataType columnName=WDL_VALUE, tableName=SYMBOL', 'WDL_VALUE should accept large strings', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add-index-in-execution', 'tjeandet', 'changesets/add_index_in_execution.xml', '2026-01-01 00:00:00', 12, 'EXECUTED', '8:75cae5d47d8cb0db3866eb6c09792d6f', 'addColumn tableName=EXECUTION; addNotNullConstraint columnName=INDEX, tableName=EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('rename-iteration-to-index', 'tjeandet', 'changesets/rename_iteration_to_index.xml', '2026-01-01 00:00:00', 13, 'EXECUTED', '8:ecf140554ed93e48674b54c36f625958', 'renameColumn newColumnName=INDEX, oldColumnName=ITERATION, tableName=SYMBOL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('sge', 'scottfrazer', 'changesets/sge.xml', '2026-01-01 00:00:00', 14, 'EXECUTED', '8:d8ead0cf339910e0cbbebac989b62603', 'createTable tableName=SGE_JOB', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('db_schema_constraints', 'scottfrazer', 'changesets/sge.xml', '2026-01-01 00:00:00', 15, 'EXECUTED', '8:6767dca4855fddd8a91b797a93a2d2a0', 'addForeignKeyConstraint baseTableName=SGE_JOB, constraintName=FK_SGE_JOB_EXECUTION_ID, referencedTableName=EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('change_execution_unique_constraint', 'tjeandet', 'changesets/change_execution_unique_constraint.xml', '2026-01-01 00:00:00', 16, 'EXECUTED', '8:80b5613eacb0eaf4c3efb6e507cdbd65', 'dropForeignKeyConstraint baseTableName=EXECUTION, constraintName=FK_EXECUTION_WORKFLOW_EXECUTION_ID; dropUniqueConstraint constraintName=UK_EX_WORKFLOW_EXECUTION_ID, tableName=EXECUTION; addUniqueConstraint constraintName=UK_WORKFLOW_CALL_INDEX, t...', 'Change unique constraint for Execution Table to include IDX column.  For MySQL this requires\n            first dropping the foreign key constraint, which we then restore after adding back the enhanced\n            unique constraint.  Both the uniqu...', NULL, '4.8.0', NULL, NULL, '1767225600'),
('rc', 'mcovarr', 'changesets/rc.xml', '2026-01-01 00:00:00', 17, 'EXECUTED', '8:ab962dafb8547d2731826f3430e29a52', 'dropColumn columnName=RC, tableName=LOCAL_JOB; addColumn tableName=EXECUTION', 'Refactor the RC column off LOCAL_JOB up into EXECUTION since it should be usable by all backends.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-options', 'sfrazer', 'changesets/workflow_options.xml', '2026-01-01 00:00:00', 18, 'EXECUTED', '8:630fa9bd474ae2dc9250be507c25b2d2', 'addColumn tableName=WORKFLOW_EXECUTION_AUX', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('jes_id_update', 'chrisl', 'changesets/jes_id_update.xml', '2026-01-01 00:00:00', 19, 'EXECUTED', '8:e34e9fe1e9cacd616702071ea7846555', 'modifyDataType columnName=JES_ID, tableName=JES_JOB; modifyDataType columnName=JES_STATUS, tableName=JES_JOB', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('optional_sge_ids', 'chrisl', 'changesets/optional_sge_ids.xml', '2026-01-01 00:00:00', 20, 'EXECUTED', '8:9b0121a1475d6c70b8531e70109d114d', 'modifyDataType columnName=SGE_JOB_NUMBER, tableName=SGE_JOB', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add-start-end-time-in-execution', 'jgentry', 'changesets/add_start_end_time_in_execution.xml', '2026-01-01 00:00:00', 21, 'EXECUTED', '8:f1a4668028b3c580c3a9a4d25485a5cf', 'addColumn tableName=EXECUTION; addColumn tableName=EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('rename-jes-id-to-jes-run-id', 'sfrazer', 'changesets/rename_jes_id.xml', '2026-01-01 00:00:00', 22, 'EXECUTED', '8:29eacfead85371b1aba9681396543bcf', 'renameColumn newColumnName=JES_RUN_ID, oldColumnName=JES_ID, tableName=JES_JOB', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-name', 'mcovarr', 'changesets/add_workflow_name.xml', '2026-01-01 00:00:00', 23, 'EXECUTED', '8:560fbb4312345a4ab1b130076ef585db', 'addColumn tableName=WORKFLOW_EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('top_level_output', 'chrisl', 'changesets/top_level_output.xml', '2026-01-01 00:00:00', 24, 'EXECUTED', '8:4fbb0f9291a7cd8659ead9aa1c4a84c4', 'addColumn tableName=SYMBOL', 'Adds a REPORTABLE_RESULT field to SYMBOL so that the DB can track which symbols represent top-level results.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_execution_aux_not_null', 'tjeandet', 'changesets/workflow_execution_aux_not_null.xml', '2026-01-01 00:00:00', 25, 'EXECUTED', '8:0967148d9702f3891a718476c78c2fe8', 'addNotNullConstraint columnName=WORKFLOW_EXECUTION_ID, tableName=WORKFLOW_EXECUTION_AUX; addNotNullConstraint columnName=WDL_SOURCE, tableName=WORKFLOW_EXECUTION_AUX; addNotNullConstraint columnName=JSON_INPUTS, tableName=WORKFLOW_EXECUTION_AUX; a...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_result_caching', 'chrisl', 'changesets/call_result_caching.xml', '2026-01-01 00:00:00', 26, 'EXECUTED', '8:7fc53ca109a2c904c78a57ca69a4904c', 'addColumn tableName=EXECUTION; createIndex indexName=HASH_INDEX, tableName=EXECUTION; addColumn tableName=SYMBOL; addForeignKeyConstraint baseTableName=EXECUTION, constraintName=FK_RESULTS_CLONED_FROM, referencedTableName=EXECUTION', 'Adding some tracking columns for determining eligibility for Call Result Caching.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_event_table', 'chrisl', 'changesets/events_table.xml', '2026-01-01 00:00:00', 27, 'EXECUTED', '8:6849810d95a0b233be5e288fb1d9b934', 'createTable tableName=EXECUTION_EVENT; addForeignKeyConstraint baseTableName=EXECUTION_EVENT, constraintName=FK_EXECUTION_EVENT_EXECUTION_ID, referencedTableName=EXECUTION; addUniqueConstraint constraintName=UK_EXECUTION_EVENT_EXECUTION_ID_DESCRIP...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_event_table_milliseconds', 'chrisl', 'changesets/events_table.xml', '2026-01-01 00:00:00', 28, 'EXECUTED', '8:dd127fbcdedd1dcfc18ab05ce51df434', 'modifyDataType columnName=START_DT, tableName=EXECUTION_EVENT; modifyDataType columnName=END_DT, tableName=EXECUTION_EVENT', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_not_null_columns', 'kshakir', 'changesets/sync_not_null_constraints.xml', '2026-01-01 00:00:00', 29, 'EXECUTED', '8:64b322f6a87b06f5c2171d1c30d91c76', 'dropNotNullConstraint columnName=JES_RUN_ID, tableName=JES_JOB; dropNotNullConstraint columnName=JES_STATUS, tableName=JES_JOB; dropNotNullConstraint columnName=SGE_JOB_NUMBER, tableName=SGE_JOB', 'Adds missing not null constraints to various tables.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('events_end_dt_not_null_milliseconds', 'kshakir', 'changesets/sync_not_null_constraints.xml', '2026-01-01 00:00:00', 30, 'EXECUTED', '8:2bface7d9e17d2ba0c536f1e7ee61b9b', 'addNotNullConstraint columnName=END_DT, tableName=EXECUTION_EVENT', 'Changes the execution event end date to not null.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('sge_job_execution_unique_key', 'kshakir', 'changesets/sge_job_execution_unique_key.xml', '2026-01-01 00:00:00', 31, 'EXECUTED', '8:75c1a1daf132e4c7b2540f1130c49aed', 'addUniqueConstraint constraintName=UK_SGE_JOB_EXECUTION_UUID, tableName=SGE_JOB', 'Adds unique constraints UK_SGE_JOB_EXECUTION_UUID.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add-attempt-in-execution', 'tjeandet', 'changesets/add_attempt_in_execution.xml', '2026-01-01 00:00:00', 32, 'EXECUTED', '8:f8fcf1fe4ddb5ec546d997d58ecbbd9c', 'addColumn tableName=EXECUTION; addNotNullConstraint columnName=ATTEMPT, tableName=EXECUTION; dropForeignKeyConstraint baseTableName=EXECUTION, constraintName=FK_EXECUTION_WORKFLOW; dropUniqueConstraint constraintName=UK_WORKFLOW_CALL_INDEX, tableN...', 'Change unique constraint for Execution Table to include ATTEMPT column.  For MySQL this requires\n            first dropping the foreign key constraint, which we then restore after adding back the enhanced\n            unique constraint.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('CREATE_EXECUTION_INFO', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 33, 'EXECUTED', '8:b458a752f1f21ae5b6aa698baa7a42dd', 'createTable tableName=EXECUTION_INFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_foreign_key_constraints', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 34, 'EXECUTED', '8:5bb97d40e4251e37d445a05bdbc2c2eb', 'addForeignKeyConstraint baseTableName=EXECUTION_INFO, constraintName=FK_EXECUTION_INFO_EXECUTION, referencedTableName=EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_backend_type_column', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 35, 'EXECUTED', '8:8a3e73646381a4315b63d9fdd6750268', 'addColumn tableName=EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('insert_data_from_backend_tables', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 36, 'EXECUTED', '8:3ca66cf07b28bb81c309967e7c246170', 'sql', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('set_backend_type', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 37, 'EXECUTED', '8:8b6b4034e3ea41e5eefe31906a3dba1d', 'sql', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_job_tables', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 38, 'EXECUTED', '8:62f8272b54ada09d4fdac82e3150ce23', 'dropTable tableName=JES_JOB; dropTable tableName=SGE_JOB; dropTable tableName=LOCAL_JOB', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_info_uniqueness_constraint', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 39, 'EXECUTED', '8:b7409014de29a55cb3d901c6a9a1e0dc', 'addUniqueConstraint constraintName=UK_EXECUTION_INFO, tableName=EXECUTION_INFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_backend_type_not_null', 'mcovarr', 'changesets/execution_backend_info.xml', '2026-01-01 00:00:00', 40, 'EXECUTED', '8:074fd858e1d5ea48e3751bfa4d146193', 'addNotNullConstraint columnName=BACKEND_TYPE, tableName=EXECUTION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('runtime-attributes-table', 'tjeandet', 'changesets/runtime_attributes_table.xml', '2026-01-01 00:00:00', 41, 'EXECUTED', '8:3c45f4405a69d5ddb7dfdd7704c814f5', 'createTable tableName=RUNTIME_ATTRIBUTES; addForeignKeyConstraint baseTableName=RUNTIME_ATTRIBUTES, constraintName=FK_RUNTIME_ATTRIBUTE_EXECUTION, referencedTableName=EXECUTION; addUniqueConstraint constraintName=UK_RUNTIME_ATTRIBUTE, tableName=RU...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('failure_table', 'chrisl', 'changesets/failure_table.xml', '2026-01-01 00:00:00', 42, 'EXECUTED', '8:5a51bbdccfd7b773689a078bd5c26d47', 'createTable tableName=FAILURE_EVENT; addForeignKeyConstraint baseTableName=FAILURE_EVENT, constraintName=FK_FAILURE_EVENT_EXECUTION_ID, referencedTableName=EXECUTION; addForeignKeyConstraint baseTableName=FAILURE_EVENT, constraintName=FK_FAILURE_E...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_event_table_milliseconds', 'chrisl', 'changesets/failure_table.xml', '2026-01-01 00:00:00', 43, 'EXECUTED', '8:37a837073c6cc2130e83178165423b8d', 'modifyDataType columnName=EVENT_TIMESTAMP, tableName=FAILURE_EVENT', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_journal', 'mcovarr', 'changesets/metadata_journal.xml', '2026-01-01 00:00:00', 44, 'EXECUTED', '8:879556fbf4e7a84da59b4b4ca168b416', 'createTable tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_workflow_index', 'mcovarr', 'changesets/metadata_journal.xml', '2026-01-01 00:00:00', 45, 'EXECUTED', '8:8c9c86af545cc389cd80b05357f286f3', 'createIndex indexName=METADATA_WORKFLOW_IDX, tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_job_index', 'mcovarr', 'changesets/metadata_journal.xml', '2026-01-01 00:00:00', 46, 'EXECUTED', '8:d8ebc4105ee823c9be32b202fad24c1a', 'createIndex indexName=METADATA_JOB_IDX, tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_job_and_key_index', 'mcovarr', 'changesets/metadata_journal.xml', '2026-01-01 00:00:00', 47, 'EXECUTED', '8:63ac7640753585ca8e39a7724dd2a778', 'createIndex indexName=METADATA_JOB_AND_KEY_IDX, tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_typed_values', 'tjeandet', 'changesets/metadata_typed_values.xml', '2026-01-01 00:00:00', 48, 'EXECUTED', '8:9f45a3320d41c97fe3a8c33da1d7b842', 'addColumn tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_journal_id_int_to_big_int', 'kshakir', 'changesets/workflow_metadata_summary.xml', '2026-01-01 00:00:00', 49, 'EXECUTED', '8:3eeb61dd17461eb21b559f412b3b080a', 'modifyDataType columnName=METADATA_JOURNAL_ID, tableName=METADATA_JOURNAL; addAutoIncrement columnName=METADATA_JOURNAL_ID, tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_metadata_summary', 'mcovarr', 'changesets/workflow_metadata_summary.xml', '2026-01-01 00:00:00', 50, 'EXECUTED', '8:50c2fe815c1e5d41c368bb051a693597', 'createTable tableName=WORKFLOW_METADATA_SUMMARY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_metadata_uuid_idx', 'mcovarr', 'changesets/workflow_metadata_summary.xml', '2026-01-01 00:00:00', 51, 'EXECUTED', '8:294bf7c7203afc9e00830795b53e9ee5', 'addUniqueConstraint constraintName=WORKFLOW_METADATA_UUID_IDX, tableName=WORKFLOW_METADATA_SUMMARY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_metadata_name_idx', 'mcovarr', 'changesets/workflow_metadata_summary.xml', '2026-01-01 00:00:00', 52, 'EXECUTED', '8:a2189e487745f7c1e57165c7ae622607', 'createIndex indexName=WORKFLOW_METADATA_NAME_IDX, tableName=WORKFLOW_METADATA_SUMMARY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_metadata_status_idx', 'mcovarr', 'changesets/workflow_metadata_summary.xml', '2026-01-01 00:00:00', 53, 'EXECUTED', '8:d93027b4a3c2ecfd48198f0021c327fd', 'createIndex indexName=WORKFLOW_METADATA_STATUS_IDX, tableName=WORKFLOW_METADATA_SUMMARY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_journal_subsecond_timestamp', 'mcovarr', 'changesets/metadata_journal_subsecond_timestamp.xml', '2026-01-01 00:00:00', 54, 'EXECUTED', '8:bc31a962a8939ffa695b2b726b07be14', 'modifyDataType columnName=METADATA_TIMESTAMP, tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_journal_timestamp_not_null', 'mcovarr', 'changesets/metadata_journal_subsecond_timestamp.xml', '2026-01-01 00:00:00', 55, 'EXECUTED', '8:e364deb0912c306b71f5d0e3dca39390', 'addNotNullConstraint columnName=METADATA_TIMESTAMP, tableName=METADATA_JOURNAL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('WORKFLOW_STORE', 'chrisl', 'changesets/workflow_store.xml', '2026-01-01 00:00:00', 56, 'EXECUTED', '8:8f4efcb43b61e06d28c452e6fbab6cea', 'createTable tableName=WORKFLOW_STORE', 'Temporary storage area for workflows that are still in progress.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_store_uuid_index', 'kshakir', 'changesets/workflow_store.xml', '2026-01-01 00:00:00', 57, 'EXECUTED', '8:a507a95df9f90e75d85a5aa28abaedc3', 'addUniqueConstraint constraintName=WORKFLOW_STORE_UUID_IDX, tableName=WORKFLOW_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_store_state_index', 'chrisl', 'changesets/workflow_store.xml', '2026-01-01 00:00:00', 58, 'EXECUTED', '8:44b21255142b11cd063a897a75e0a1ea', 'createIndex indexName=WORKFLOW_STORE_STATE_IDX, tableName=WORKFLOW_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('BACKEND_KV_STORE', 'rmunshi', 'changesets/backend_KV_Store.xml', '2026-01-01 00:00:00', 59, 'EXECUTED', '8:5615ef3bafb68eab116c4ac957e90faf', 'createTable tableName=BACKEND_KV_STORE', 'Storage for all Backend K/V Pairs.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('backend_KV_store_job_key_constraint', 'rmunshi', 'changesets/backend_KV_Store.xml', '2026-01-01 00:00:00', 60, 'EXECUTED', '8:4f080722a2881e2f69b3ee1e8e719ebf', 'addUniqueConstraint constraintName=UK_BACKEND_KV_STORE_KEY, tableName=BACKEND_KV_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('JOB_STORE', 'chrisl', 'changesets/job_store.xml', '2026-01-01 00:00:00', 61, 'EXECUTED', '8:d1c6fee2777e0d0fc1c8788219f06e9d', 'createTable tableName=JOB_STORE', 'Temporary storage area for completed jobs which belong to workflows that are still in progress.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_uuid_index', 'chrisl', 'changesets/job_store.xml', '2026-01-01 00:00:00', 62, 'EXECUTED', '8:75cdddff951c6ef9aaf21001c4a9095e', 'createIndex indexName=JOB_STORE_UUID_IDX, tableName=JOB_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_jobkey_index', 'chrisl', 'changesets/job_store.xml', '2026-01-01 00:00:00', 63, 'EXECUTED', '8:83b309c2d81024d1476b6b57d30f22eb', 'addUniqueConstraint constraintName=JOB_STORE_JOBKEY_IDX, tableName=JOB_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_metainfo', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 64, 'EXECUTED', '8:911db323df7092122fc0b736ff800c51', 'createTable tableName=CALL_CACHING_RESULT_METAINFO', 'One row per cached job result.\n            Stores meta info about which job the result came from.\n            Defines the Call Cache Meta Info ID (CALL_CACHING_RESULT_METAINFO_ID) that \"CallCachingHash\" and \"CallCachingResultSimpleton\" have FKs to.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_metainfo_uniqueness', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 65, 'EXECUTED', '8:18ffc44de33425fc3798183aba85922b', 'addUniqueConstraint constraintName=UK_CALL_CACHING_RESULT_METAINFO, tableName=CALL_CACHING_RESULT_METAINFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_hashes', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 66, 'EXECUTED', '8:b4aafaf7f583e025cc0e046cf986f390', 'createTable tableName=CALL_CACHING_HASH', 'One row per hashkey per call cache meta info.\n            Allows us to link hash keys and values to any matching call cache results.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_hashes_uniqueness', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 67, 'EXECUTED', '8:477f9606fbefbd6769f251fc395deb11', 'addUniqueConstraint constraintName=UK_CALL_CACHING_HASH, tableName=CALL_CACHING_HASH', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_hashes_uniqueness_foreign_key', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 68, 'EXECUTED', '8:443021230926520023c5b2e344a09931', 'addForeignKeyConstraint baseTableName=CALL_CACHING_HASH, constraintName=CCH_RESULT_METAINFO_ID_FK, referencedTableName=CALL_CACHING_RESULT_METAINFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_simpletons', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 69, 'EXECUTED', '8:9925a37cc1410f431ef34f29ffffe8a7', 'createTable tableName=CALL_CACHING_RESULT_SIMPLETON', 'One row per result simpleton in the job result.\n            Simpleton: a single non-complex WDL value.\n            The simpleton key contains the necessary FQN and structure information for reconstructing the job result', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_simpletons_uniqueness', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 70, 'EXECUTED', '8:a0f1e31c2704e592c0184e4b74921242', 'addUniqueConstraint constraintName=UK_CALL_CACHING_RESULT_SIMPLETON, tableName=CALL_CACHING_RESULT_SIMPLETON', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_result_simpletons_foreign_key', 'chrisl', 'changesets/callcaching.xml', '2026-01-01 00:00:00', 71, 'EXECUTED', '8:792a769f31882697c1f7b012fd183996', 'addForeignKeyConstraint baseTableName=CALL_CACHING_RESULT_SIMPLETON, constraintName=CCRS_RESULT_METAINFO_ID_FK, referencedTableName=CALL_CACHING_RESULT_METAINFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_fix_boolean', 'mcovarr', 'changesets/call_caching_allow_result_reuse_fix.xml', '2026-01-01 00:00:00', 72, 'EXECUTED', '8:cd541d11363912c4ec20e90bc199e998', 'modifyDataType columnName=ALLOW_RESULT_REUSE, tableName=CALL_CACHING_RESULT_METAINFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_reuse_default', 'mcovarr', 'changesets/call_caching_allow_result_reuse_fix.xml', '2026-01-01 00:00:00', 73, 'EXECUTED', '8:6373e5986f64b8075a41324cbf747a33', 'addDefaultValue columnName=ALLOW_RESULT_REUSE, tableName=CALL_CACHING_RESULT_METAINFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_result_simpletons', 'mcovarr', 'changesets/job_store_simpletons.xml', '2026-01-01 00:00:00', 74, 'EXECUTED', '8:710aa4da353c21c0e9b865d0dbeb501a', 'createTable tableName=JOB_STORE_RESULT_SIMPLETON', 'One row per result simpleton in the job result.\n            Simpleton: a single non-complex WDL value.\n            The simpleton key contains the necessary FQN and structure information for reconstructing the job result', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_result_simpletons_uniqueness', 'mcovarr', 'changesets/job_store_simpletons.xml', '2026-01-01 00:00:00', 75, 'EXECUTED', '8:32ad545a9a50b10dae88e909c4e14bc9', 'addUniqueConstraint constraintName=UK_JOB_STORE_RESULT_SIMPLETON, tableName=JOB_STORE_RESULT_SIMPLETON', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_result_simpletons_foreign_key', 'mcovarr', 'changesets/job_store_simpletons.xml', '2026-01-01 00:00:00', 76, 'EXECUTED', '8:bb1adf4112dfd97bf7233c1d876a5fb6', 'addForeignKeyConstraint baseTableName=JOB_STORE_RESULT_SIMPLETON, constraintName=JSRS_JOB_STORE_FK, referencedTableName=JOB_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_remove_job_output', 'mcovarr', 'changesets/job_store_simpletons.xml', '2026-01-01 00:00:00', 77, 'EXECUTED', '8:eb17f63be5039fbe2dc3c219bc4d408d', 'dropColumn columnName=JOB_OUTPUT, tableName=JOB_STORE', 'There is no attempt at migrating the contents of JOB_STORE.JOB_OUTPUTS to simpletons, this just removes the column.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('WORKFLOW_STORE_MIGRATION', 'mcovarr', 'changesets/restart_and_recover_migration.xml', '2026-01-01 00:00:00', 78, 'EXECUTED', '8:63e2af267aa8e4c0b3c62a2343afec3a', 'sql', 'Restart/recover migration from 0.19 to 0.21.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('JOB_STORE_MIGRATION', 'mcovarr', 'changesets/restart_and_recover_migration.xml', '2026-01-01 00:00:00', 79, 'EXECUTED', '8:babcf91861f1be44b921c128a09b3ec6', 'sql', 'Restart/recover migration from 0.19 to 0.21.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('JOB_STORE_RESULT_SIMPLETON_VALUE_NULLABLE', 'mcovarr', 'changesets/restart_and_recover_migration.xml', '2026-01-01 00:00:00', 80, 'EXECUTED', '8:7dec8a653ae43f25549051f32083e83e', 'dropNotNullConstraint columnName=SIMPLETON_VALUE, tableName=JOB_STORE_RESULT_SIMPLETON', 'This changeset is a retroactive insertion into the changeset order to enable migration of\n            null output values in a 0.19 Cromwell installation to the job store simpleton table introduced\n            in pluggable backend Cromwell.  Becaus...', NULL, '4.8.0', NULL, NULL, '1767225600'),
('JOB_STORE_RESULT_SIMPLETON_MIGRATION', 'mcovarr', 'changesets/restart_and_recover_migration.xml', '2026-01-01 00:00:00', 81, 'EXECUTED', '8:af9b0e7e91a288177773cdfa49e5576e', 'customChange', 'Restart/recover migration from 0.19 to 0.21.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('BACKEND_KV_STORE_MIGRATION', 'mcovarr', 'changesets/restart_and_recover_migration.xml', '2026-01-01 00:00:00', 82, 'EXECUTED', '8:50478eff7560a05dc5fcec312265f43e', 'sql', 'Restart/recover migration from 0.19 to 0.21.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('WORKFLOW_OPTIONS_RENAME_MIGRATION', 'mcovarr', 'changesets/restart_and_recover_migration.xml', '2026-01-01 00:00:00', 83, 'EXECUTED', '8:c09926f6a25eb9b4c157ccba99147243', 'customChange', 'Restart/recover migration from 0.19 to 0.21.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('summary_status_table', 'kshakir', 'changesets/summary_status_table.xml', '2026-01-01 00:00:00', 84, 'EXECUTED', '8:c403d2d8894e680232208af2a768bdcb', 'createTable tableName=SUMMARY_STATUS', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('summary_status_summarized_table_name_index', 'kshakir', 'changesets/summary_status_table.xml', '2026-01-01 00:00:00', 85, 'EXECUTED', '8:b8b71ffcb2af91ec83333cf8dd567648', 'addUniqueConstraint constraintName=SUMMARY_STATUS_SUMMARY_TABLE_NAME_SUMMARIZED_TABLE_NAME_INDEX, tableName=SUMMARY_STATUS', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_execution_uuid', 'rmunshi', 'changesets/standardize_column_names.xml', '2026-01-01 00:00:00', 86, 'EXECUTED', '8:66965c6721d1a1a918dab3ca5a140f50', 'renameColumn newColumnName=WORKFLOW_EXECUTION_UUID, oldColumnName=WORKFLOW_UUID, tableName=CALL_CACHING_RESULT_METAINFO; renameColumn newColumnName=WORKFLOW_EXECUTION_UUID, oldColumnName=WORKFLOW_UUID, tableName=WORKFLOW_STORE; renameColumn newCol...', 'Change all Workflow UUID column names to Workflow Execution UUID.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_job_identifiers', 'rmunshi', 'changesets/standardize_column_names.xml', '2026-01-01 00:00:00', 87, 'EXECUTED', '8:1654e6f0337369baa0e73d8a7c061f6a', 'renameColumn newColumnName=CALL_FQN, oldColumnName=METADATA_CALL_FQN, tableName=METADATA_JOURNAL; renameColumn newColumnName=JOB_SCATTER_INDEX, oldColumnName=METADATA_CALL_INDEX, tableName=METADATA_JOURNAL; renameColumn newColumnName=JOB_RETRY_ATT...', 'Choose and implement common call/job identifiers.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('entry_or_journal_existence_xor', 'mcovarr', 'changesets/embiggen_metadata_value.xml', '2026-01-01 00:00:00', 88, 'EXECUTED', '8:d41d8cd98f00b204e9800998ecf8427e', 'empty', 'Either METADATA_JOURNAL or METADATA_ENTRY must exist, but not both (Liquibase doesn\'t have an xor).', NULL, '4.8.0', NULL, NULL, '1767225600'),
('embiggen_metadata_entry', 'mcovarr', 'changesets/embiggen_metadata_value.xml', '2026-01-01 00:00:00', 89, 'MARK_RAN', '8:34328cc017e4cef8dd1140524362d176', 'modifyDataType columnName=METADATA_VALUE, tableName=METADATA_ENTRY', 'The METADATA_ENTRY version of the embiggener. This should gracefully handle the absence of the table\n            in the event the table is still called METADATA_JOURNAL when this runs.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('embiggen_metadata_journal', 'mcovarr', 'changesets/embiggen_metadata_value.xml', '2026-01-01 00:00:00', 90, 'EXECUTED', '8:f5268f5714e5a9a4fe7838db7db0fa0a', 'modifyDataType columnName=METADATA_VALUE, tableName=METADATA_JOURNAL', 'The METADATA_JOURNAL version of the embiggener. This should gracefully handle the absence of the table\n            in the event the table has been renamed to METADATA_ENTRY when this runs.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('setup_metadata_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 91, 'EXECUTED', '8:084c330e7464eb4d575aa399a9c20fa9', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('create_tmp_symbol_for_inputs', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 92, 'EXECUTED', '8:afdc1feeae98df2e4ee7f9a6e23d3eaa', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('load_tmp_symbol_for_inputs', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 93, 'EXECUTED', '8:95182a1962a9db01a8838e04b4a63c1f', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('input_symbol_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 94, 'EXECUTED', '8:8f574d14b5f303c7044af71d24587565', 'customChange; dropTable tableName=TMP_SYMBOL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('create_tmp_symbol_for_call_outputs', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 95, 'EXECUTED', '8:afdc1feeae98df2e4ee7f9a6e23d3eaa', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('load_tmp_symbol_for_call_outputs', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 96, 'EXECUTED', '8:feec5036c4caeb7db71997f0ecf3cbab', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_output_symbol_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 97, 'EXECUTED', '8:0f49bff358f477bd8dcd4a8e918f2724', 'customChange; dropTable tableName=TMP_SYMBOL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('create_tmp_symbol_for_workflow_outputs', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 98, 'EXECUTED', '8:afdc1feeae98df2e4ee7f9a6e23d3eaa', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('load_tmp_symbol_for_workflow_outputs', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 99, 'EXECUTED', '8:274ffe4dc786603eb9cc760d86c16eb4', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_output_symbol_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 100, 'EXECUTED', '8:d6a2fd0b25f1c2007eadbfa9a1a54284', 'customChange; dropTable tableName=TMP_SYMBOL', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_execution_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 101, 'EXECUTED', '8:6320303d29d92bbdea46202a49cc0160', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_execution_aux_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 102, 'EXECUTED', '8:1ab3792955be8b57a72ab84c75ba0419', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 103, 'EXECUTED', '8:52c38963a781935a646c68f983f6ceac', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_event_table_migration_start', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 104, 'EXECUTED', '8:a3b0023aac5763832f990cef54afd403', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_event_table_migration_end', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 105, 'EXECUTED', '8:47f00de06f842d7a65919cb4b9258511', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_event_table_migration_description', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 106, 'EXECUTED', '8:3162090eb95d1cfbb96de2191dc5ef8a', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('execution_info_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 107, 'EXECUTED', '8:e3bf9441c4d40588f2cb0506d0afadd4', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('failure_event_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 108, 'EXECUTED', '8:d57a104135c2ef49574e2e23b27c50c6', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('runtime_attributes_table_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 109, 'EXECUTED', '8:d751d5e1011850e6d59f032be15fc17a', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('cleanup_metadata_migration', 'tjeandet', 'changesets/metadata_migration.xml', '2026-01-01 00:00:00', 110, 'EXECUTED', '8:b06d2d37796ed21de6dbfbf4d42d6cfd', 'dropTable tableName=TMP_EXECUTION_MIGRATION', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_job_detritus', 'rmunshi', 'changesets/call_caching_job_detritus.xml', '2026-01-01 00:00:00', 111, 'EXECUTED', '8:33a68f96005a713056446cac7c0cf8d7', 'createTable tableName=CALL_CACHING_JOB_DETRITUS', 'One row per job detritus file (i.e, one row for the stdout, stderr, etc)\n            The job detritus key contains the filename, such as hello-stdout, and the job detritus\n            value contains the file path, such as gs://cromwell-root/hello/...', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_job_detritus_key_uniqueness', 'rmunshi', 'changesets/call_caching_job_detritus.xml', '2026-01-01 00:00:00', 112, 'EXECUTED', '8:c35491660b16ddcb3ea87b27d57e4e6f', 'addUniqueConstraint constraintName=UK_CALL_CACHING_JOB_DETRITUS_KEY, tableName=CALL_CACHING_JOB_DETRITUS', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_job_detritus_foreign_key', 'rmunshi', 'changesets/call_caching_job_detritus.xml', '2026-01-01 00:00:00', 113, 'EXECUTED', '8:8680df26364b234a68064a7d0cc2a6e6', 'addForeignKeyConstraint baseTableName=CALL_CACHING_JOB_DETRITUS, constraintName=CCJD_RESULT_METAINFO_ID_FK, referencedTableName=CALL_CACHING_RESULT_METAINFO', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_fix_job_successful', 'mcovarr', 'changesets/job_store_tinyints.xml', '2026-01-01 00:00:00', 114, 'EXECUTED', '8:84744dd0c169136cced9f6d81a78d3e1', 'modifyDataType columnName=JOB_SUCCESSFUL, tableName=JOB_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_fix_job_retryable_failure', 'mcovarr', 'changesets/job_store_tinyints.xml', '2026-01-01 00:00:00', 115, 'EXECUTED', '8:471290ec9fa91e964a77d7684f2af40d', 'modifyDataType columnName=RETRYABLE_FAILURE, tableName=JOB_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('job_store_not_nullable_job_successful', 'mcovarr', 'changesets/job_store_tinyints.xml', '2026-01-01 00:00:00', 116, 'EXECUTED', '8:937b071ae15bd19e3b570eb83d65272e', 'addNotNullConstraint columnName=JOB_SUCCESSFUL, tableName=JOB_STORE', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('standardize_column_names_again', 'kshakir', 'changesets/standardize_column_names_again.xml', '2026-01-01 00:00:00', 117, 'EXECUTED', '8:c59a9cba132d8c01c052b991fb5cd8d7', 'dropIndex indexName=JOB_STORE_UUID_IDX, tableName=JOB_STORE; dropIndex indexName=WORKFLOW_METADATA_NAME_IDX, tableName=WORKFLOW_METADATA_SUMMARY; dropIndex indexName=WORKFLOW_METADATA_STATUS_IDX, tableName=WORKFLOW_METADATA_SUMMARY; dropIndex inde...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('rename_workflow_options_in_metadata', 'tjeandet', 'changesets/rename_workflow_options_in_metadata.xml', '2026-01-01 00:00:00', 118, 'EXECUTED', '8:68bfcb8f217dc10d370c7f40d49e19d5', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('encrypt_workflow_store_entry_workflow_options', 'kshakir', 'changesets/encrypt_and_clear_workflow_options.xml', '2026-01-01 00:00:00', 119, 'EXECUTED', '8:01366f61b64dc3a2cb9b5fabdcfba4f8', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('clear_metadata_entry_workflow_options', 'kshakir', 'changesets/encrypt_and_clear_workflow_options.xml', '2026-01-01 00:00:00', 120, 'EXECUTED', '8:bf3de579fac07ab25861b89fd983f880', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('SUB_WORKFLOW_STORE_ENTRY', 'tjeandet', 'changesets/sub_workflow_store.xml', '2026-01-01 00:00:00', 121, 'EXECUTED', '8:74cdc097b9647041a1c9493424bfafe9', 'createTable tableName=SUB_WORKFLOW_STORE_ENTRY', 'Temporary storage area for sub workflows which belong to workflows that are still in progress.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('sub_workflow_store_uuid_index', 'tjeandet', 'changesets/sub_workflow_store.xml', '2026-01-01 00:00:00', 122, 'EXECUTED', '8:37d781d0ccb4b1c767c5bd4742b0d277', 'createIndex indexName=IX_SUB_WORKFLOW_STORE_ENTRY_PWEU, tableName=SUB_WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('sub_workflow_store_jobkey_index', 'tjeandet', 'changesets/sub_workflow_store.xml', '2026-01-01 00:00:00', 123, 'EXECUTED', '8:37b5325a5041c3bcb29ace3e07c320ec', 'addUniqueConstraint constraintName=UC_SUB_WORKFLOW_STORE_ENTRY_PWEU_CFQN_CI_CA, tableName=SUB_WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('sub_workflow_store_root_workflow_fk', 'tjeandet', 'changesets/sub_workflow_store.xml', '2026-01-01 00:00:00', 124, 'EXECUTED', '8:30b3eb464bc91eea44ab0a7c2bb5ab4f', 'addForeignKeyConstraint baseTableName=SUB_WORKFLOW_STORE_ENTRY, constraintName=FK_SUB_WORKFLOW_STORE_ROOT_WORKFLOW_ID_WORKFLOW_STORE_ENTRY_ID, referencedTableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-imports-file', 'cjllanwarne', 'changesets/workflow_store_imports_file.xml', '2026-01-01 00:00:00', 125, 'EXECUTED', '8:e04ec51b0db2e7dcfbf572c1351e0a49', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-labels-file', 'cjllanwarne', 'changesets/workflow_store_labels_file.xml', '2026-01-01 00:00:00', 126, 'EXECUTED', '8:22e598b85e0a350bf36cf468f0da550b', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('embiggen_call_caching_detritus_entry', 'rmunshi', 'changesets/embiggen_detritus_value.xml', '2026-01-01 00:00:00', 127, 'EXECUTED', '8:07a0dbc0f5c4438f7501de3d7f501441', 'modifyDataType columnName=DETRITUS_VALUE, tableName=CALL_CACHING_DETRITUS_ENTRY', 'The Call Caching Detritus Entry version of the embiggener.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('standardize_column_names_patches', 'kshakir', 'changesets/standardize_column_names_patches.xml', '2026-01-01 00:00:00', 128, 'EXECUTED', '8:99f8b2f9a51e417563ece8b82c6e7725', 'dropForeignKeyConstraint baseTableName=CALL_CACHING_HASH_ENTRY, constraintName=FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID; dropForeignKeyConstraint baseTableName=JOB_STORE_SIMPLETON_ENTRY, constraintName=FK_JOB_STORE_RESULT_SIMPLETON_JOB_STO...', 'Columns now all match standardized naming.\n            FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID must be dropped and re-added so that\n            UC_CALL_CACHING_HASH_ENTRY_CCEI may be renamed.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('nullable_lobs', 'kshakir', 'changesets/nullable_lobs.xml', '2026-01-01 00:00:00', 129, 'EXECUTED', '8:6286c58a578aaf48a230f543ee1271e4', 'dropNotNullConstraint columnName=DETRITUS_VALUE, tableName=CALL_CACHING_DETRITUS_ENTRY; dropNotNullConstraint columnName=SIMPLETON_VALUE, tableName=CALL_CACHING_SIMPLETON_ENTRY; dropNotNullConstraint columnName=SIMPLETON_VALUE, tableName=JOB_STORE...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_attempt_in_call_caching_entry', 'tjeandet', 'changesets/add_attempt_in_call_caching_entry.xml', '2026-01-01 00:00:00', 130, 'EXECUTED', '8:abe89932e33bcdd41aa3ab85626dbd0f', 'addColumn tableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('replace_empty_custom_labels', 'rmunshi', 'changesets/replace_empty_custom_labels.xml', '2026-01-01 00:00:00', 131, 'EXECUTED', '8:a7c5c09c0756f8a0abf89cfe455f0bd1', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('custom_labels_not_null', 'rmunshi', 'changesets/replace_empty_custom_labels.xml', '2026-01-01 00:00:00', 132, 'EXECUTED', '8:3583f6262102c346e866a8a41309929c', 'addNotNullConstraint columnName=CUSTOM_LABELS, tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('failure_to_message', 'cjllanwarne', 'changesets/failure_metadata.xml', '2026-01-01 00:00:00', 133, 'EXECUTED', '8:9e1717703e459cc50a870eb4d5eb3645', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('remove_failure_timestamp', 'cjllanwarne', 'changesets/failure_metadata.xml', '2026-01-01 00:00:00', 134, 'EXECUTED', '8:46637bd7caf63555612d1840ea582b05', 'delete tableName=METADATA_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('causedByLists', 'cjllanwarne', 'changesets/failure_metadata.xml', '2026-01-01 00:00:00', 135, 'EXECUTED', '8:f55f0e7ffc82a00dd373cc1da6bd1583', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('deduplicate_failure_messages', 'cjllanwarne', 'changesets/failure_metadata.xml', '2026-01-01 00:00:00', 136, 'EXECUTED', '8:dce681311d65fdcf782e6ebfdd0e2051', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('guaranteed_caused_bys', 'cjllanwarne', 'changesets/failure_metadata.xml', '2026-01-01 00:00:00', 137, 'EXECUTED', '8:5d31c537cc8a5728820897a09803e24c', 'sqlFile', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('expand_single_failure_strings', 'cjllanwarne', 'changesets/failure_metadata_2.xml', '2026-01-01 00:00:00', 138, 'EXECUTED', '8:6a826f9b040b7be7e4d03e9b06ed0112', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_aggregation_entry', 'tjeandet', 'changesets/call_caching_aggregated_hashes.xml', '2026-01-01 00:00:00', 139, 'EXECUTED', '8:f82f2ba0a835156cb53714cac86fbfc5', 'createTable tableName=CALL_CACHING_AGGREGATION_ENTRY', 'Holds an aggregated version of the hashes for each cache entry.\n            Split into \"BaseAggregation\" and \"InputFilesAggregation\"\n            BaseAggregation aggregates all call hashes, except input files.\n            It should be used as a fir...', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_aggregation_entry_keys_and_indexes', 'tjeandet', 'changesets/call_caching_aggregated_hashes.xml', '2026-01-01 00:00:00', 140, 'EXECUTED', '8:1a6db0c07774dafa290bfb267412a57a', 'addForeignKeyConstraint baseTableName=CALL_CACHING_AGGREGATION_ENTRY, constraintName=FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY; createIndex indexName=IX_CALL_CACHING_AGGREGATION_ENTRY_BA_IFA, t...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('call_caching_aggregation_entry_populate_aggregation', 'tjeandet', 'changesets/call_caching_aggregated_hashes.xml', '2026-01-01 00:00:00', 141, 'EXECUTED', '8:268faf03efe8bf081f155ec0fe570956', 'sqlFile; sqlFile', 'This changeset will only be run if the group_concat_max_len flag has a value that will allow it to run successfully', NULL, '4.8.0', NULL, NULL, '1767225600'),
('custom_LABEL_entry', 'rmunshi', 'changesets/custom_label_entry.xml', '2026-01-01 00:00:00', 142, 'EXECUTED', '8:11bdaea00928fd86cd3c1984e560eba3', 'createTable tableName=CUSTOM_LABEL_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('WMSE_workflow_execution_uuid_foreign_key', 'rmunshi', 'changesets/custom_label_entry.xml', '2026-01-01 00:00:00', 143, 'EXECUTED', '8:34ab5491b80d278bbd61e7389e49b7f0', 'addForeignKeyConstraint baseTableName=CUSTOM_LABEL_ENTRY, constraintName=FK_CUSTOM_LABEL_ENTRY_WORKFLOW_EXECUTION_UUID, referencedTableName=WORKFLOW_METADATA_SUMMARY_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('custom_label_entry_index', 'rmunshi', 'changesets/custom_label_entry.xml', '2026-01-01 00:00:00', 144, 'EXECUTED', '8:eb66c409d612fffdfc7c35dabf5020d5', 'addUniqueConstraint constraintName=UC_CUSTOM_LABEL_ENTRY_CLK_CLV_WEU, tableName=CUSTOM_LABEL_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('modify label key/value data types', 'rmunshi', 'changesets/custom_label_entry.xml', '2026-01-01 00:00:00', 145, 'EXECUTED', '8:d84b7100374e66c52f329aa0596f4582', 'modifyDataType columnName=CUSTOM_LABEL_KEY, tableName=CUSTOM_LABEL_ENTRY; modifyDataType columnName=CUSTOM_LABEL_VALUE, tableName=CUSTOM_LABEL_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('DOCKER_HASH_STORE_ENTRY', 'tjeandet', 'changesets/docker_hash_store.xml', '2026-01-01 00:00:00', 146, 'EXECUTED', '8:27eaace0196624241e9031579cfe87f6', 'createTable tableName=DOCKER_HASH_STORE_ENTRY', 'Temporary storage area for docker hashes from workflows that are still in progress.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('docker_hash_store_uuid_unique_constraint', 'tjeandet', 'changesets/docker_hash_store.xml', '2026-01-01 00:00:00', 147, 'EXECUTED', '8:6a7eb3ff2ce52af1c34283042a1af33e', 'addUniqueConstraint constraintName=UC_DOCKER_HASH_STORE_ENTRY_WEU_DT, tableName=DOCKER_HASH_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-type-and-version', 'mcovarr', 'changesets/workflow_store_type_and_version.xml', '2026-01-01 00:00:00', 148, 'EXECUTED', '8:f0c2e78c0b58b98d737d6547a069e1ee', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('preempted_is_a_backend_status', 'cjllanwarne', 'changesets/preempted_is_a_backend_status.xml', '2026-01-01 00:00:00', 149, 'EXECUTED', '8:8d12ed22c41c51a514a9719582efa864', 'customChange', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop-pre-pbe-tables', 'mcovarr', 'changesets/remove_pre_pbe_tables.xml', '2026-01-01 00:00:00', 150, 'EXECUTED', '8:88e71521461f3267b0828fef46ddab8f', 'dropTable tableName=EXECUTION_INFO; dropTable tableName=EXECUTION_EVENT; dropTable tableName=FAILURE_EVENT; dropTable tableName=RUNTIME_ATTRIBUTES; dropTable tableName=SYMBOL; dropTable tableName=EXECUTION; dropTable tableName=WORKFLOW_EXECUTION_A...', 'Remove the old pre-pluggable backend tables.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('move_metadata_changelog', 'kshakir', 'changesets/move_sql_metadata_changelog.xml', '2026-01-01 00:00:00', 151, 'EXECUTED', '8:15822815d5766a983a5b8814d4ed3f8a', 'dropForeignKeyConstraint baseTableName=CUSTOM_LABEL_ENTRY, constraintName=FK_CUSTOM_LABEL_ENTRY_WORKFLOW_EXECUTION_UUID; dropUniqueConstraint constraintName=UC_CUSTOM_LABEL_ENTRY_CLK_CLV_WEU, tableName=CUSTOM_LABEL_ENTRY; dropUniqueConstraint cons...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-state-widening', 'tjeandet', 'changesets/workflow_store_state_widening.xml', '2026-01-01 00:00:00', 152, 'EXECUTED', '8:21ff7314425e37c815f553e06a5e914b', 'modifyDataType columnName=WORKFLOW_STATE, tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-restarted-column', 'tjeandet', 'changesets/workflow_store_restarted_column.xml', '2026-01-01 00:00:00', 153, 'EXECUTED', '8:8da86d8e7263be0c267c537241440fea', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('update-restartable', 'tjeandet', 'changesets/workflow_store_restarted_column.xml', '2026-01-01 00:00:00', 154, 'EXECUTED', '8:23d202c2f043ffacd42bda4319a4590f', 'update tableName=WORKFLOW_STORE_ENTRY; update tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-workflow-root-column', 'tjeandet', 'changesets/workflow_store_workflow_root_column.xml', '2026-01-01 00:00:00', 155, 'EXECUTED', '8:228daee2753b8f51dbabd226e7a7dc0a', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow-store-horizontal-db', 'mcovarr', 'changesets/workflow_store_horizontal_db.xml', '2026-01-01 00:00:00', 156, 'EXECUTED', '8:824f58752acb0816cbf16c0842aafb78', 'dropColumn columnName=RESTARTED, tableName=WORKFLOW_STORE_ENTRY; addColumn tableName=WORKFLOW_STORE_ENTRY; addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_workflow_url_in_workflow_store_entry', 'sshah', 'changesets/add_workflow_url_in_workflow_store_entry.xml', '2026-01-01 00:00:00', 157, 'EXECUTED', '8:b447f0442ab1d92201c859b644dc1b91', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('change_max_size_for_workflow_url', 'sshah', 'changesets/change_max_size_workflow_url.xml', '2026-01-01 00:00:00', 158, 'EXECUTED', '8:13ee3492acc85328ace12144a5ca19ac', 'modifyDataType columnName=WORKFLOW_URL, tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('docker_hash_store_entry_add_size_column', 'tjeandet', 'changesets/docker_hash_store_add_size_column.xml', '2026-01-01 00:00:00', 159, 'EXECUTED', '8:5b60de662836117b8a7a879b5a5a301b', 'addColumn tableName=DOCKER_HASH_STORE_ENTRY', 'Add a size column corresponding to the sum of all the layers size from the manifest', NULL, '4.8.0', NULL, NULL, '1767225600'),
('restore_auto_increment_call_caching_hash_entry_id', 'mcovarr', 'changesets/enlarge_call_caching_hash_entry_id.xml', '2026-01-01 00:00:00', 160, 'EXECUTED', '8:e5da40d3275adf8334eb0221fb68b5e7', 'addAutoIncrement columnName=CALL_CACHING_HASH_ENTRY_ID, tableName=CALL_CACHING_HASH_ENTRY', 'Factored into a separate changeset from the above to allow for handling various RDBMS implementations differently.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_hog_group_in_workflow_store', 'cjllanwarne', 'changesets/add_hog_group_in_workflow_store.xml', '2026-01-01 00:00:00', 161, 'EXECUTED', '8:618f223b37b310ec4ba7a1a89eb37e09', 'addColumn tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('resync-engine-schema', 'kshakir', 'changesets/resync_engine_schema.xml', '2026-01-01 00:00:00', 162, 'EXECUTED', '8:9729a0fe491d0dba4a2a0bce87375231', 'modifyDataType columnName=HEARTBEAT_TIMESTAMP, tableName=WORKFLOW_STORE_ENTRY; modifyDataType columnName=SUBMISSION_TIME, tableName=WORKFLOW_STORE_ENTRY; addNotNullConstraint columnName=SUBMISSION_TIME, tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_job_store_simpleton_entry_fk', 'mcovarr', 'changesets/enlarge_job_store_ids.xml', '2026-01-01 00:00:00', 163, 'EXECUTED', '8:9f7b48d86510050a11217ce0c628471d', 'dropForeignKeyConstraint baseTableName=JOB_STORE_SIMPLETON_ENTRY, constraintName=FK_JOB_STORE_SIMPLETON_ENTRY_JOB_STORE_ENTRY_ID', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_job_store_entry_id', 'mcovarr', 'changesets/enlarge_job_store_ids.xml', '2026-01-01 00:00:00', 164, 'EXECUTED', '8:34bacb4209579411dc01e728df5bdffe', 'addAutoIncrement columnName=JOB_STORE_ENTRY_ID, tableName=JOB_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_job_store_simpleton_entry_id', 'mcovarr', 'changesets/enlarge_job_store_ids.xml', '2026-01-01 00:00:00', 165, 'EXECUTED', '8:f9c25754931ba9fb1401328bfff72bbc', 'addAutoIncrement columnName=JOB_STORE_SIMPLETON_ENTRY_ID, tableName=JOB_STORE_SIMPLETON_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_job_store_simpleton_entry_fk', 'mcovarr', 'changesets/enlarge_job_store_ids.xml', '2026-01-01 00:00:00', 166, 'EXECUTED', '8:2037cf93523ff8e7f3c691217f710ae4', 'modifyDataType columnName=JOB_STORE_ENTRY_ID, tableName=JOB_STORE_SIMPLETON_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('recreate_job_store_simpleton_entry_fk', 'mcovarr', 'changesets/enlarge_job_store_ids.xml', '2026-01-01 00:00:00', 167, 'EXECUTED', '8:eaec7a16e776e01bce43cc05a6544ba0', 'addForeignKeyConstraint baseTableName=JOB_STORE_SIMPLETON_ENTRY, constraintName=FK_JOB_STORE_SIMPLETON_ENTRY_JOB_STORE_ENTRY_ID, referencedTableName=JOB_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_call_caching_aggregation_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 168, 'EXECUTED', '8:34250a04c4523a008f78739b2d946b84', 'dropForeignKeyConstraint baseTableName=CALL_CACHING_AGGREGATION_ENTRY, constraintName=FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_call_caching_detritus_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 169, 'EXECUTED', '8:c592126fa9abdccd44eff87c63db4c83', 'dropForeignKeyConstraint baseTableName=CALL_CACHING_DETRITUS_ENTRY, constraintName=FK_CALL_CACHING_DETRITUS_ENTRY_CALL_CACHING_ENTRY_ID', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_call_caching_hash_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 170, 'EXECUTED', '8:ac34975dd9611b2c12da5733fc28c8d4', 'dropForeignKeyConstraint baseTableName=CALL_CACHING_HASH_ENTRY, constraintName=FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_call_caching_simpleton_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 171, 'EXECUTED', '8:4e9ea07a22d73fa3d94bca6a3af32dd9', 'dropForeignKeyConstraint baseTableName=CALL_CACHING_SIMPLETON_ENTRY, constraintName=FK_CALL_CACHING_SIMPLETON_ENTRY_CALL_CACHING_ENTRY_ID', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('reset_call_cache_entry_id_autoincrement', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 172, 'EXECUTED', '8:62c31eb7892338627995020fafaf1b65', 'addAutoIncrement columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_call_caching_aggregation_entry_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 173, 'EXECUTED', '8:032bf8e45ab4b08c29ca36ef4ba539d3', 'modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_AGGREGATION_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_call_caching_detritus_entry_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 174, 'EXECUTED', '8:aff0def3cd4a8e040930c83dd6b4a583', 'modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_DETRITUS_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_call_caching_hash_entry_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 175, 'EXECUTED', '8:a01a901d1998bc4f03ad9a4d476a38de', 'modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_HASH_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_call_caching_simpleton_entry_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 176, 'EXECUTED', '8:f024e548013b3c733bff4f0f538c6693', 'modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_SIMPLETON_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('mariadb_not_null_constraint_call_caching_aggregation_entry_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 177, 'EXECUTED', '8:d76ca6b3e3f8e1a7d268f44ed429baaf', 'addNotNullConstraint columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_AGGREGATION_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('recreate_call_caching_aggregation_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 178, 'EXECUTED', '8:10b8aff085d3dbfead7afca6714fb92e', 'addForeignKeyConstraint baseTableName=CALL_CACHING_AGGREGATION_ENTRY, constraintName=FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('recreate_call_caching_detritus_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 179, 'EXECUTED', '8:cf2b1bf9959d1f8cc3d6c047ea9055a6', 'addForeignKeyConstraint baseTableName=CALL_CACHING_DETRITUS_ENTRY, constraintName=FK_CALL_CACHING_DETRITUS_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('recreate_call_caching_hash_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 180, 'EXECUTED', '8:e2a9c095b4630ebb85c43ac644861a1b', 'addForeignKeyConstraint baseTableName=CALL_CACHING_HASH_ENTRY, constraintName=FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('recreate_call_caching_simpleton_entry_call_caching_entry_id_fk', 'sshah', 'changesets/enlarge_call_cache_entry_ids.xml', '2026-01-01 00:00:00', 181, 'EXECUTED', '8:f4403fa68ec090d0cb0096efd5dbd1b0', 'addForeignKeyConstraint baseTableName=CALL_CACHING_SIMPLETON_ENTRY, constraintName=FK_CALL_CACHING_SIMPLETON_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('reset_call_caching_aggregation_entry_id_autoincrement', 'sshah', 'changesets/enlarge_call_caching_aggregation_entry_id.xml', '2026-01-01 00:00:00', 182, 'EXECUTED', '8:b15d3660724c1a9e52dcadc40de53352', 'addAutoIncrement columnName=CALL_CACHING_AGGREGATION_ENTRY_ID, tableName=CALL_CACHING_AGGREGATION_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('reset_call_caching_detritus_entry_id_autoincrement', 'sshah', 'changesets/enlarge_call_caching_detritus_entry_id.xml', '2026-01-01 00:00:00', 183, 'EXECUTED', '8:73df04e51b6e26960308b6dcbb2b0b1f', 'addAutoIncrement columnName=CALL_CACHING_DETRITUS_ENTRY_ID, tableName=CALL_CACHING_DETRITUS_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('reset_call_caching_simpleton_entry_id_autoincrement', 'sshah', 'changesets/enlarge_call_caching_simpleton_entry_id.xml', '2026-01-01 00:00:00', 184, 'EXECUTED', '8:399211005b293702d0eb9e4eaf2a0da9', 'addAutoIncrement columnName=CALL_CACHING_SIMPLETON_ENTRY_ID, tableName=CALL_CACHING_SIMPLETON_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('reset_call_caching_hash_entry_id_autoincrement', 'sshah', 'changesets/reset_call_caching_hash_entry_id_autoincrement.xml', '2026-01-01 00:00:00', 185, 'EXECUTED', '8:184678d15b58a8973cdbf8d6f0782774', 'addAutoIncrement columnName=CALL_CACHING_HASH_ENTRY_ID, tableName=CALL_CACHING_HASH_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_docker_hash_store_entry_id', 'sshah', 'changesets/enlarge_docker_hash_store_entry_id.xml', '2026-01-01 00:00:00', 186, 'EXECUTED', '8:e15b0309aa8295f96e476d01e84ab278', 'addAutoIncrement columnName=DOCKER_HASH_STORE_ENTRY_ID, tableName=DOCKER_HASH_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('drop_sub_workflow_store_entry_root_workflow_id_fk', 'sshah', 'changesets/enlarge_workflow_store_entry_id.xml', '2026-01-01 00:00:00', 187, 'EXECUTED', '8:d34b5a993d79a878600496992b3c7912', 'dropForeignKeyConstraint baseTableName=SUB_WORKFLOW_STORE_ENTRY, constraintName=FK_SUB_WORKFLOW_STORE_ENTRY_ROOT_WORKFLOW_ID', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_workflow_store_entry_id', 'sshah', 'changesets/enlarge_workflow_store_entry_id.xml', '2026-01-01 00:00:00', 188, 'EXECUTED', '8:87a46df85397a7d5874620ab8773e173', 'addAutoIncrement columnName=WORKFLOW_STORE_ENTRY_ID, tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_sub_workflow_store_entry_fk', 'sshah', 'changesets/enlarge_workflow_store_entry_id.xml', '2026-01-01 00:00:00', 189, 'EXECUTED', '8:c3be721c375844bd2a28f9e7d84b2f55', 'modifyDataType columnName=ROOT_WORKFLOW_ID, tableName=SUB_WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('mariadb_not_null_constraint_sub_workflow_store_entry_fk', 'sshah', 'changesets/enlarge_workflow_store_entry_id.xml', '2026-01-01 00:00:00', 190, 'EXECUTED', '8:d5c2fe724a8aed14a3ec41367a69bc5e', 'addNotNullConstraint columnName=ROOT_WORKFLOW_ID, tableName=SUB_WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('recreate_sub_workflow_store_entry_root_workflow_id_fk', 'sshah', 'changesets/enlarge_workflow_store_entry_id.xml', '2026-01-01 00:00:00', 191, 'EXECUTED', '8:6abd1ac9beab18c94f795898b8a05125', 'addForeignKeyConstraint baseTableName=SUB_WORKFLOW_STORE_ENTRY, constraintName=FK_SUB_WORKFLOW_STORE_ENTRY_ROOT_WORKFLOW_ID, referencedTableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_sub_workflow_store_entry_id', 'sshah', 'changesets/enlarge_sub_workflow_store_entry_id.xml', '2026-01-01 00:00:00', 192, 'EXECUTED', '8:02e001b1a3ef07661be8b5a508ee4a3d', 'addAutoIncrement columnName=SUB_WORKFLOW_STORE_ENTRY_ID, tableName=SUB_WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('workflow_store_drop_state_index', 'anichols', 'changesets/workflow_store_drop_state_index.xml', '2026-01-01 00:00:00', 193, 'EXECUTED', '8:505eb7bdea54eb82ce93b5c111db9a18', 'dropIndex indexName=IX_WORKFLOW_STORE_ENTRY_WS, tableName=WORKFLOW_STORE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_group_metrics_entry_table', 'sshah', 'changesets/add_group_metrics_table.xml', '2026-01-01 00:00:00', 194, 'EXECUTED', '8:379a326430e754bdc8af58d12176f196', 'createTable tableName=GROUP_METRICS_ENTRY', 'Table that tracks when a group or billing project last ran into Cloud Quota exhaustion', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_index_for_group_metrics_table', 'sshah', 'changesets/add_group_metrics_table.xml', '2026-01-01 00:00:00', 195, 'EXECUTED', '8:33a4b2c744ce297c0f26ed45cc32ef9d', 'createIndex indexName=IX_GROUP_METRICS_ENTRY_GI, tableName=GROUP_METRICS_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_unique_constraint_group_metrics', 'sshah', 'changesets/add_group_metrics_unique_constraint.xml', '2026-01-01 00:00:00', 196, 'EXECUTED', '8:c30a19af85002b5a500b9a245110f098', 'dropIndex indexName=IX_GROUP_METRICS_ENTRY_GI, tableName=GROUP_METRICS_ENTRY; addUniqueConstraint constraintName=UC_GROUP_METRICS_ENTRY_GI, tableName=GROUP_METRICS_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('enlarge_job_key_value_entry_id', 'lbaldo', 'changesets/enlarge_job_key_value_entry_id.xml', '2026-01-01 00:00:00', 197, 'EXECUTED', '8:1c287dfc23e47503e8524c117e48e966', 'addAutoIncrement columnName=JOB_KEY_VALUE_ENTRY_ID, tableName=JOB_KEY_VALUE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_timestamp_in_call_caching', 'lmcnatt', 'changesets/add_timestamp_in_call_caching.xml', '2026-01-01 00:00:00', 198, 'EXECUTED', '8:7243db6928a089776e47d904e0124d46', 'addColumn tableName=CALL_CACHING_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600');

INSERT INTO `cromwell`.`DATABASECHANGELOGLOCK` VALUES (1,b'0',NULL,NULL);

INSERT INTO `cromwell`.`SQLMETADATADATABASECHANGELOG` VALUES
('move_metadata_changelog', 'kshakir', 'metadata_changesets/move_sql_metadata_changelog.xml', '2026-01-01 00:00:00', 1, 'EXECUTED', '8:4935483387cf26197de7032af42ac82d', 'createTable tableName=CUSTOM_LABEL_ENTRY; createTable tableName=METADATA_ENTRY; createTable tableName=SUMMARY_STATUS_ENTRY; createTable tableName=WORKFLOW_METADATA_SUMMARY_ENTRY; addUniqueConstraint constraintName=UC_CUSTOM_LABEL_ENTRY_CLK_CLV_WEU...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('change_max_size_for_key_and_value_in_label', 'sshah', 'changesets/change_max_size_label_entry.xml', '2026-01-01 00:00:00', 2, 'EXECUTED', '8:20eb5979f76e896be1bfa29c845974ee', 'modifyDataType columnName=CUSTOM_LABEL_KEY, tableName=CUSTOM_LABEL_ENTRY; modifyDataType columnName=CUSTOM_LABEL_VALUE, tableName=CUSTOM_LABEL_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('delete_duplicate_custom_labels', 'kshakir', 'metadata_changesets/delete_duplicate_custom_labels.xml', '2026-01-01 00:00:00', 3, 'EXECUTED', '8:f877d156e3c0c17db45e3b3c1a8b197f', 'delete tableName=CUSTOM_LABEL_ENTRY; dropUniqueConstraint constraintName=UC_CUSTOM_LABEL_ENTRY_CLK_CLV_WEU, tableName=CUSTOM_LABEL_ENTRY; addUniqueConstraint constraintName=UC_CUSTOM_LABEL_ENTRY_CLK_WEU, tableName=CUSTOM_LABEL_ENTRY', 'Delete the rows from CUSTOM_LABEL_ENTRY with duplicate (CLK, WEU) entries keeping only the rows with the\n            largest primary key. Then drop the unique constraint that expands over the columns (CLK, CLV, WEU),\n            replacing it with ...', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_submission_timestamp_in_metadata_entry', 'sshah', 'metadata_changesets/add_submission_timestamp_metadata_summary.xml', '2026-01-01 00:00:00', 4, 'EXECUTED', '8:8e913a5377604f10d30c42b6763185b4', 'addColumn tableName=WORKFLOW_METADATA_SUMMARY_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('custom_label_entry_key_value_index', 'mcovarr', 'metadata_changesets/custom_label_entry_key_value_index.xml', '2026-01-01 00:00:00', 5, 'EXECUTED', '8:8cf651adb0dfdd5c48a10e2dc7cb53e7', 'createIndex indexName=IX_CUSTOM_LABEL_ENTRY_CLK_CLV, tableName=CUSTOM_LABEL_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_parent_and_root_workflow_execution_uuid', 'kshakir', 'metadata_changesets/add_parent_and_root_workflow_execution_uuid.xml', '2026-01-01 00:00:00', 6, 'EXECUTED', '8:eb8e0270f8235198948329197e96201f', 'addColumn tableName=WORKFLOW_METADATA_SUMMARY_ENTRY; createIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_PWEU, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY; createIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_RWEU, tableName=WORKFLOW_METADA...', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_parent_and_root_workflow_typo_fix', 'kshakir', 'metadata_changesets/add_parent_and_root_workflow_typo_fix.xml', '2026-01-01 00:00:00', 7, 'EXECUTED', '8:1956189c9413b26bd143c13f61fe7716', 'delete tableName=SUMMARY_STATUS_ENTRY; update tableName=SUMMARY_STATUS_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_index_removals', 'mcovarr', 'metadata_changesets/metadata_index_removals.xml', '2026-01-01 00:00:00', 8, 'EXECUTED', '8:b32b63103dfbe3664806be3eccf78b09', 'dropIndex indexName=METADATA_JOB_AND_KEY_IDX, tableName=METADATA_ENTRY; dropIndex indexName=METADATA_JOB_IDX, tableName=METADATA_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('add_metadata_archive_status', 'cjllanwarne', 'metadata_changesets/add_metadata_archive_status.xml', '2026-01-01 00:00:00', 9, 'EXECUTED', '8:adc0a27cdb283d3cbee6ea3fb8167ea7', 'addColumn tableName=WORKFLOW_METADATA_SUMMARY_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_archive_status_index', 'cjllanwarne', 'metadata_changesets/add_metadata_archive_status.xml', '2026-01-01 00:00:00', 10, 'EXECUTED', '8:c5b6f16fe49692ea29453b36f39caee2', 'createIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('summary_queue_table', 'gsterin', 'metadata_changesets/summarization_queue_table.xml', '2026-01-01 00:00:00', 11, 'EXECUTED', '8:4d493bed1956f32bdf96f93249f28df3', 'createTable tableName=SUMMARY_QUEUE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('summary_queue_initialization', 'gsterin', 'metadata_changesets/summarization_queue_table.xml', '2026-01-01 00:00:00', 12, 'EXECUTED', '8:aa8c3c51da2f3fc1300b9f8908618549', 'sql', 'Populate SUMMARY_QUEUE_ENTRY with not-yet-summarized metadata entry ids', NULL, '4.8.0', NULL, NULL, '1767225600'),
('summary_queue_add_primary_key', 'gsterin', 'metadata_changesets/summarization_queue_table_add_primary_key.xml', '2026-01-01 00:00:00', 13, 'EXECUTED', '8:ea8729637eb9da6392c4faf37609293b', 'addPrimaryKey constraintName=PK_SUMMARY_QUEUE_ENTRY, tableName=SUMMARY_QUEUE_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('delete_non_summarizable_metadata_from_queue', 'mcovarr', 'metadata_changesets/remove_non_summarizable_metadata_from_queue.xml', '2026-01-01 00:00:00', 14, 'EXECUTED', '8:c3862d2417a60d4073f37676926b82f4', 'sql', 'Delete rows from the summary queue corresponding to metadata that will not be summarized.', NULL, '4.8.0', NULL, NULL, '1767225600'),
('update_old_metadata_archive_status_index', 'cjllanwarne', 'metadata_changesets/update_metadata_archive_index.xml', '2026-01-01 00:00:00', 15, 'EXECUTED', '8:1da18c4df7a8ca4267422e32c782ab88', 'dropIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY; createIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS_ET, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('reset_archive_statuses_to_null', 'cjllanwarne', 'metadata_changesets/reset_archive_statuses_to_null.xml', '2026-01-01 00:00:00', 16, 'EXECUTED', '8:2126fae9ba700a498ceb4d782ba3bd0b', 'update tableName=WORKFLOW_METADATA_SUMMARY_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_index_add_workflow_key', 'anichols', 'metadata_changesets/metadata_index_add_workflow_key.xml', '2026-01-01 00:00:00', 17, 'EXECUTED', '8:eb698c839f4927dc350c2b82e001aff8', 'createIndex indexName=IX_METADATA_ENTRY_WEU_MK, tableName=METADATA_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_index_drop_workflow', 'anichols', 'metadata_changesets/metadata_index_drop_workflow.xml', '2026-01-01 00:00:00', 18, 'EXECUTED', '8:38023c006fca4d412bb28f0a87008af6', 'dropIndex indexName=METADATA_WORKFLOW_IDX, tableName=METADATA_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600'),
('metadata_index_add_workflow_call_index_attempt_key', 'anichols', 'metadata_changesets/metadata_index_add_workflow_call_index_attempt_key.xml', '2026-01-01 00:00:00', 19, 'EXECUTED', '8:624adee62953dece64de45e556b060c7', 'createIndex indexName=IX_METADATA_ENTRY_WEU_CFQN_JSI_JRA_MK, tableName=METADATA_ENTRY', '', NULL, '4.8.0', NULL, NULL, '1767225600');

INSERT INTO `cromwell`.`SQLMETADATADATABASECHANGELOGLOCK` VALUES (1,b'0',NULL,NULL);
