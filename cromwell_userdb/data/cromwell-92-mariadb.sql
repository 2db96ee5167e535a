-- Cromwell's tables as release 92 leaves them on MariaDB, and the rows by which its Liquibase
-- knows that: recorded from a real one. A statement ends with a semicolon at the end of a line.

CREATE TABLE `cromwell`.`CALL_CACHING_ENTRY` (
  `CALL_CACHING_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) NOT NULL,
  `JOB_INDEX` int NOT NULL,
  `RETURN_CODE` int DEFAULT NULL,
  `ALLOW_RESULT_REUSE` tinyint NOT NULL DEFAULT 1,
  `JOB_ATTEMPT` int DEFAULT NULL,
  `CREATED_AT` datetime(6) NOT NULL,
  PRIMARY KEY (`CALL_CACHING_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_ENTRY_WEU_CFQN_JI` (`WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`JOB_INDEX`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CALL_CACHING_HASH_ENTRY` (
  `CALL_CACHING_HASH_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `HASH_KEY` varchar(255) NOT NULL,
  `HASH_VALUE` varchar(255) NOT NULL,
  `CALL_CACHING_ENTRY_ID` bigint NOT NULL,
  PRIMARY KEY (`CALL_CACHING_HASH_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_HASH_ENTRY_CCEI_HK` (`CALL_CACHING_ENTRY_ID`,`HASH_KEY`),
  CONSTRAINT `FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID` FOREIGN KEY (`CALL_CACHING_ENTRY_ID`) REFERENCES `CALL_CACHING_ENTRY` (`CALL_CACHING_ENTRY_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CALL_CACHING_SIMPLETON_ENTRY` (
  `CALL_CACHING_SIMPLETON_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `SIMPLETON_KEY` varchar(255) NOT NULL,
  `SIMPLETON_VALUE` longtext DEFAULT NULL,
  `WDL_TYPE` varchar(255) NOT NULL,
  `CALL_CACHING_ENTRY_ID` bigint NOT NULL,
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
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) NOT NULL,
  `JOB_INDEX` int NOT NULL,
  `JOB_ATTEMPT` int NOT NULL,
  `STORE_KEY` varchar(255) NOT NULL,
  `STORE_VALUE` varchar(255) NOT NULL,
  PRIMARY KEY (`JOB_KEY_VALUE_ENTRY_ID`),
  UNIQUE KEY `UC_JOB_KEY_VALUE_ENTRY_WEU_CFQN_JI_JA_SK` (`WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`JOB_INDEX`,`JOB_ATTEMPT`,`STORE_KEY`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`JOB_STORE_ENTRY` (
  `JOB_STORE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `CALL_FULLY_QUALIFIED_NAME` varchar(255) NOT NULL,
  `JOB_INDEX` int NOT NULL,
  `JOB_ATTEMPT` int NOT NULL,
  `JOB_SUCCESSFUL` tinyint NOT NULL,
  `RETURN_CODE` int DEFAULT NULL,
  `EXCEPTION_MESSAGE` longtext DEFAULT NULL,
  `RETRYABLE_FAILURE` tinyint DEFAULT NULL,
  PRIMARY KEY (`JOB_STORE_ENTRY_ID`),
  UNIQUE KEY `UC_JOB_STORE_ENTRY_WEU_CFQN_JI_JA` (`WORKFLOW_EXECUTION_UUID`,`CALL_FULLY_QUALIFIED_NAME`,`JOB_INDEX`,`JOB_ATTEMPT`),
  KEY `IX_JOB_STORE_ENTRY_WEU` (`WORKFLOW_EXECUTION_UUID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`JOB_STORE_SIMPLETON_ENTRY` (
  `JOB_STORE_SIMPLETON_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `SIMPLETON_KEY` varchar(255) NOT NULL,
  `SIMPLETON_VALUE` longtext DEFAULT NULL,
  `WDL_TYPE` varchar(255) NOT NULL,
  `JOB_STORE_ENTRY_ID` bigint NOT NULL,
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
  `METADATA_VALUE` longtext DEFAULT NULL,
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
  `SUMMARY_NAME` varchar(255) NOT NULL,
  `SUMMARY_POSITION` bigint NOT NULL,
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
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_PWEU` (`PARENT_WORKFLOW_EXECUTION_UUID`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_RWEU` (`ROOT_WORKFLOW_EXECUTION_UUID`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_WN` (`WORKFLOW_NAME`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_WS` (`WORKFLOW_STATUS`),
  KEY `IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS_ET` (`METADATA_ARCHIVE_STATUS`,`END_TIMESTAMP`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`WORKFLOW_STORE_ENTRY` (
  `WORKFLOW_STORE_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `WORKFLOW_EXECUTION_UUID` varchar(255) NOT NULL,
  `WORKFLOW_DEFINITION` longtext DEFAULT NULL,
  `WORKFLOW_INPUTS` longtext DEFAULT NULL,
  `WORKFLOW_OPTIONS` longtext DEFAULT NULL,
  `WORKFLOW_STATE` varchar(20) NOT NULL,
  `SUBMISSION_TIME` datetime(6) NOT NULL,
  `IMPORTS_ZIP` longblob DEFAULT NULL,
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
  `DETRITUS_KEY` varchar(255) NOT NULL,
  `DETRITUS_VALUE` longtext DEFAULT NULL,
  `CALL_CACHING_ENTRY_ID` bigint NOT NULL,
  PRIMARY KEY (`CALL_CACHING_DETRITUS_ENTRY_ID`),
  UNIQUE KEY `UC_CALL_CACHING_DETRITUS_ENTRY_CCEI_DK` (`CALL_CACHING_ENTRY_ID`,`DETRITUS_KEY`),
  CONSTRAINT `FK_CALL_CACHING_DETRITUS_ENTRY_CALL_CACHING_ENTRY_ID` FOREIGN KEY (`CALL_CACHING_ENTRY_ID`) REFERENCES `CALL_CACHING_ENTRY` (`CALL_CACHING_ENTRY_ID`)
) ENGINE=InnoDB;

CREATE TABLE `cromwell`.`CUSTOM_LABEL_ENTRY` (
  `CUSTOM_LABEL_ENTRY_ID` bigint NOT NULL AUTO_INCREMENT,
  `CUSTOM_LABEL_KEY` varchar(255) NOT NULL,
  `CUSTOM_LABEL_VALUE` varchar(255) NOT NULL,
  `WORKFLOW_EXECUTION_UUID` varchar(100) NOT NULL,
  PRIMARY KEY (`CUSTOM_LABEL_ENTRY_ID`),
  UNIQUE KEY `UC_CUSTOM_LABEL_ENTRY_CLK_WEU` (`CUSTOM_LABEL_KEY`,`WORKFLOW_EXECUTION_UUID`),
  KEY `IX_CUSTOM_LABEL_ENTRY_CLK_CLV` (`CUSTOM_LABEL_KEY`,`CUSTOM_LABEL_VALUE`),
  KEY `FK_CUSTOM_LABEL_ENTRY_WORKFLOW_EXECUTION_UUID` (`WORKFLOW_EXECUTION_UUID`),
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
('mariadb-engine-init','kshakir','changesets/mariadb_engine_schema.xml','2026-01-01 00:00:00',1,'EXECUTED','8:7a08fbf41099b22f0b6c6408efe2b851','createTable tableName=CALL_CACHING_AGGREGATION_ENTRY; createTable tableName=CALL_CACHING_DETRITUS_ENTRY; createTable tableName=CALL_CACHING_ENTRY; createTable tableName=CALL_CACHING_HASH_ENTRY; createTable tableName=CALL_CACHING_SIMPLETON_ENTRY; c...','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('add_hog_group_in_workflow_store_mariadb','kshakir','changesets/resync_engine_schema.xml','2026-01-01 00:00:00',2,'MARK_RAN','8:967dd9355948c509326b363a440f1d21','addColumn tableName=WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('resync-engine-schema','kshakir','changesets/resync_engine_schema.xml','2026-01-01 00:00:00',3,'EXECUTED','8:9729a0fe491d0dba4a2a0bce87375231','modifyDataType columnName=HEARTBEAT_TIMESTAMP, tableName=WORKFLOW_STORE_ENTRY; modifyDataType columnName=SUBMISSION_TIME, tableName=WORKFLOW_STORE_ENTRY; addNotNullConstraint columnName=SUBMISSION_TIME, tableName=WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('drop_job_store_simpleton_entry_fk','mcovarr','changesets/enlarge_job_store_ids.xml','2026-01-01 00:00:00',4,'EXECUTED','8:9f7b48d86510050a11217ce0c628471d','dropForeignKeyConstraint baseTableName=JOB_STORE_SIMPLETON_ENTRY, constraintName=FK_JOB_STORE_SIMPLETON_ENTRY_JOB_STORE_ENTRY_ID','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_job_store_entry_id','mcovarr','changesets/enlarge_job_store_ids.xml','2026-01-01 00:00:00',5,'EXECUTED','8:34bacb4209579411dc01e728df5bdffe','addAutoIncrement columnName=JOB_STORE_ENTRY_ID, tableName=JOB_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_job_store_simpleton_entry_id','mcovarr','changesets/enlarge_job_store_ids.xml','2026-01-01 00:00:00',6,'EXECUTED','8:f9c25754931ba9fb1401328bfff72bbc','addAutoIncrement columnName=JOB_STORE_SIMPLETON_ENTRY_ID, tableName=JOB_STORE_SIMPLETON_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_job_store_simpleton_entry_fk','mcovarr','changesets/enlarge_job_store_ids.xml','2026-01-01 00:00:00',7,'EXECUTED','8:2037cf93523ff8e7f3c691217f710ae4','modifyDataType columnName=JOB_STORE_ENTRY_ID, tableName=JOB_STORE_SIMPLETON_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('mariadb_not_null_constraint_job_store_simpleton_entry_fk','mcovarr','changesets/enlarge_job_store_ids.xml','2026-01-01 00:00:00',8,'EXECUTED','8:c4380bb4e82f111d20274f677b4c4121','addNotNullConstraint columnName=JOB_STORE_ENTRY_ID, tableName=JOB_STORE_SIMPLETON_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('recreate_job_store_simpleton_entry_fk','mcovarr','changesets/enlarge_job_store_ids.xml','2026-01-01 00:00:00',9,'EXECUTED','8:eaec7a16e776e01bce43cc05a6544ba0','addForeignKeyConstraint baseTableName=JOB_STORE_SIMPLETON_ENTRY, constraintName=FK_JOB_STORE_SIMPLETON_ENTRY_JOB_STORE_ENTRY_ID, referencedTableName=JOB_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('drop_call_caching_aggregation_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',10,'EXECUTED','8:34250a04c4523a008f78739b2d946b84','dropForeignKeyConstraint baseTableName=CALL_CACHING_AGGREGATION_ENTRY, constraintName=FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('drop_call_caching_detritus_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',11,'EXECUTED','8:c592126fa9abdccd44eff87c63db4c83','dropForeignKeyConstraint baseTableName=CALL_CACHING_DETRITUS_ENTRY, constraintName=FK_CALL_CACHING_DETRITUS_ENTRY_CALL_CACHING_ENTRY_ID','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('drop_call_caching_hash_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',12,'EXECUTED','8:ac34975dd9611b2c12da5733fc28c8d4','dropForeignKeyConstraint baseTableName=CALL_CACHING_HASH_ENTRY, constraintName=FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('drop_call_caching_simpleton_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',13,'EXECUTED','8:4e9ea07a22d73fa3d94bca6a3af32dd9','dropForeignKeyConstraint baseTableName=CALL_CACHING_SIMPLETON_ENTRY, constraintName=FK_CALL_CACHING_SIMPLETON_ENTRY_CALL_CACHING_ENTRY_ID','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('reset_call_cache_entry_id_autoincrement','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',14,'EXECUTED','8:62c31eb7892338627995020fafaf1b65','addAutoIncrement columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_call_caching_aggregation_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',15,'EXECUTED','8:032bf8e45ab4b08c29ca36ef4ba539d3','modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_AGGREGATION_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_call_caching_detritus_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',16,'EXECUTED','8:aff0def3cd4a8e040930c83dd6b4a583','modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_DETRITUS_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_call_caching_hash_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',17,'EXECUTED','8:a01a901d1998bc4f03ad9a4d476a38de','modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_HASH_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_call_caching_simpleton_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',18,'EXECUTED','8:f024e548013b3c733bff4f0f538c6693','modifyDataType columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_SIMPLETON_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('mariadb_not_null_constraint_call_caching_aggregation_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',19,'EXECUTED','8:d76ca6b3e3f8e1a7d268f44ed429baaf','addNotNullConstraint columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_AGGREGATION_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('mariadb_not_null_constraint_call_caching_detritus_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',20,'EXECUTED','8:2575ef74e9f077ccce4b293ac2cdb3aa','addNotNullConstraint columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_DETRITUS_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('mariadb_not_null_constraint_call_caching_hash_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',21,'EXECUTED','8:83c49647dfa1d4ccc5a02512e0423619','addNotNullConstraint columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_HASH_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('mariadb_not_null_constraint_call_caching_simpleton_entry_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',22,'EXECUTED','8:c8880d19c14ea9ea07ba25faf58e1048','addNotNullConstraint columnName=CALL_CACHING_ENTRY_ID, tableName=CALL_CACHING_SIMPLETON_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('recreate_call_caching_aggregation_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',23,'EXECUTED','8:10b8aff085d3dbfead7afca6714fb92e','addForeignKeyConstraint baseTableName=CALL_CACHING_AGGREGATION_ENTRY, constraintName=FK_CALL_CACHING_AGGREGATION_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('recreate_call_caching_detritus_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',24,'EXECUTED','8:cf2b1bf9959d1f8cc3d6c047ea9055a6','addForeignKeyConstraint baseTableName=CALL_CACHING_DETRITUS_ENTRY, constraintName=FK_CALL_CACHING_DETRITUS_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('recreate_call_caching_hash_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',25,'EXECUTED','8:e2a9c095b4630ebb85c43ac644861a1b','addForeignKeyConstraint baseTableName=CALL_CACHING_HASH_ENTRY, constraintName=FK_CALL_CACHING_HASH_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('recreate_call_caching_simpleton_entry_call_caching_entry_id_fk','sshah','changesets/enlarge_call_cache_entry_ids.xml','2026-01-01 00:00:00',26,'EXECUTED','8:f4403fa68ec090d0cb0096efd5dbd1b0','addForeignKeyConstraint baseTableName=CALL_CACHING_SIMPLETON_ENTRY, constraintName=FK_CALL_CACHING_SIMPLETON_ENTRY_CALL_CACHING_ENTRY_ID, referencedTableName=CALL_CACHING_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('reset_call_caching_aggregation_entry_id_autoincrement','sshah','changesets/enlarge_call_caching_aggregation_entry_id.xml','2026-01-01 00:00:00',27,'EXECUTED','8:b15d3660724c1a9e52dcadc40de53352','addAutoIncrement columnName=CALL_CACHING_AGGREGATION_ENTRY_ID, tableName=CALL_CACHING_AGGREGATION_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('reset_call_caching_detritus_entry_id_autoincrement','sshah','changesets/enlarge_call_caching_detritus_entry_id.xml','2026-01-01 00:00:00',28,'EXECUTED','8:73df04e51b6e26960308b6dcbb2b0b1f','addAutoIncrement columnName=CALL_CACHING_DETRITUS_ENTRY_ID, tableName=CALL_CACHING_DETRITUS_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('reset_call_caching_simpleton_entry_id_autoincrement','sshah','changesets/enlarge_call_caching_simpleton_entry_id.xml','2026-01-01 00:00:00',29,'EXECUTED','8:399211005b293702d0eb9e4eaf2a0da9','addAutoIncrement columnName=CALL_CACHING_SIMPLETON_ENTRY_ID, tableName=CALL_CACHING_SIMPLETON_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('reset_call_caching_hash_entry_id_autoincrement','sshah','changesets/reset_call_caching_hash_entry_id_autoincrement.xml','2026-01-01 00:00:00',30,'EXECUTED','8:184678d15b58a8973cdbf8d6f0782774','addAutoIncrement columnName=CALL_CACHING_HASH_ENTRY_ID, tableName=CALL_CACHING_HASH_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_docker_hash_store_entry_id','sshah','changesets/enlarge_docker_hash_store_entry_id.xml','2026-01-01 00:00:00',31,'EXECUTED','8:e15b0309aa8295f96e476d01e84ab278','addAutoIncrement columnName=DOCKER_HASH_STORE_ENTRY_ID, tableName=DOCKER_HASH_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('drop_sub_workflow_store_entry_root_workflow_id_fk','sshah','changesets/enlarge_workflow_store_entry_id.xml','2026-01-01 00:00:00',32,'EXECUTED','8:d34b5a993d79a878600496992b3c7912','dropForeignKeyConstraint baseTableName=SUB_WORKFLOW_STORE_ENTRY, constraintName=FK_SUB_WORKFLOW_STORE_ENTRY_ROOT_WORKFLOW_ID','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_workflow_store_entry_id','sshah','changesets/enlarge_workflow_store_entry_id.xml','2026-01-01 00:00:00',33,'EXECUTED','8:87a46df85397a7d5874620ab8773e173','addAutoIncrement columnName=WORKFLOW_STORE_ENTRY_ID, tableName=WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_sub_workflow_store_entry_fk','sshah','changesets/enlarge_workflow_store_entry_id.xml','2026-01-01 00:00:00',34,'EXECUTED','8:c3be721c375844bd2a28f9e7d84b2f55','modifyDataType columnName=ROOT_WORKFLOW_ID, tableName=SUB_WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('mariadb_not_null_constraint_sub_workflow_store_entry_fk','sshah','changesets/enlarge_workflow_store_entry_id.xml','2026-01-01 00:00:00',35,'EXECUTED','8:d5c2fe724a8aed14a3ec41367a69bc5e','addNotNullConstraint columnName=ROOT_WORKFLOW_ID, tableName=SUB_WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('recreate_sub_workflow_store_entry_root_workflow_id_fk','sshah','changesets/enlarge_workflow_store_entry_id.xml','2026-01-01 00:00:00',36,'EXECUTED','8:6abd1ac9beab18c94f795898b8a05125','addForeignKeyConstraint baseTableName=SUB_WORKFLOW_STORE_ENTRY, constraintName=FK_SUB_WORKFLOW_STORE_ENTRY_ROOT_WORKFLOW_ID, referencedTableName=WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_sub_workflow_store_entry_id','sshah','changesets/enlarge_sub_workflow_store_entry_id.xml','2026-01-01 00:00:00',37,'EXECUTED','8:02e001b1a3ef07661be8b5a508ee4a3d','addAutoIncrement columnName=SUB_WORKFLOW_STORE_ENTRY_ID, tableName=SUB_WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('workflow_store_drop_state_index','anichols','changesets/workflow_store_drop_state_index.xml','2026-01-01 00:00:00',38,'EXECUTED','8:505eb7bdea54eb82ce93b5c111db9a18','dropIndex indexName=IX_WORKFLOW_STORE_ENTRY_WS, tableName=WORKFLOW_STORE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('add_group_metrics_entry_table','sshah','changesets/add_group_metrics_table.xml','2026-01-01 00:00:00',39,'EXECUTED','8:379a326430e754bdc8af58d12176f196','createTable tableName=GROUP_METRICS_ENTRY','Table that tracks when a group or billing project last ran into Cloud Quota exhaustion',NULL,'4.8.0',NULL,NULL,'1767225600'),
('add_index_for_group_metrics_table','sshah','changesets/add_group_metrics_table.xml','2026-01-01 00:00:00',40,'EXECUTED','8:33a4b2c744ce297c0f26ed45cc32ef9d','createIndex indexName=IX_GROUP_METRICS_ENTRY_GI, tableName=GROUP_METRICS_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('add_unique_constraint_group_metrics','sshah','changesets/add_group_metrics_unique_constraint.xml','2026-01-01 00:00:00',41,'EXECUTED','8:c30a19af85002b5a500b9a245110f098','dropIndex indexName=IX_GROUP_METRICS_ENTRY_GI, tableName=GROUP_METRICS_ENTRY; addUniqueConstraint constraintName=UC_GROUP_METRICS_ENTRY_GI, tableName=GROUP_METRICS_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('enlarge_job_key_value_entry_id','lbaldo','changesets/enlarge_job_key_value_entry_id.xml','2026-01-01 00:00:00',42,'EXECUTED','8:1c287dfc23e47503e8524c117e48e966','addAutoIncrement columnName=JOB_KEY_VALUE_ENTRY_ID, tableName=JOB_KEY_VALUE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('add_timestamp_in_call_caching','lmcnatt','changesets/add_timestamp_in_call_caching.xml','2026-01-01 00:00:00',43,'EXECUTED','8:7243db6928a089776e47d904e0124d46','addColumn tableName=CALL_CACHING_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600');

INSERT INTO `cromwell`.`DATABASECHANGELOGLOCK` VALUES (1,b'0',NULL,NULL);

INSERT INTO `cromwell`.`SQLMETADATADATABASECHANGELOG` VALUES
('mariadb-metadata-init','kshakir','metadata_changesets/mariadb_metadata_schema.xml','2026-01-01 00:00:00',1,'EXECUTED','8:3dea9310426d2ea01c6915ad0bb52d65','createTable tableName=CUSTOM_LABEL_ENTRY; createTable tableName=METADATA_ENTRY; createTable tableName=SUMMARY_STATUS_ENTRY; createTable tableName=WORKFLOW_METADATA_SUMMARY_ENTRY; addUniqueConstraint constraintName=UC_CUSTOM_LABEL_ENTRY_CLK_WEU, ta...','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('add_metadata_archive_status','cjllanwarne','metadata_changesets/add_metadata_archive_status.xml','2026-01-01 00:00:00',2,'EXECUTED','8:adc0a27cdb283d3cbee6ea3fb8167ea7','addColumn tableName=WORKFLOW_METADATA_SUMMARY_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('metadata_archive_status_index','cjllanwarne','metadata_changesets/add_metadata_archive_status.xml','2026-01-01 00:00:00',3,'EXECUTED','8:c5b6f16fe49692ea29453b36f39caee2','createIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('summary_queue_table','gsterin','metadata_changesets/summarization_queue_table.xml','2026-01-01 00:00:00',4,'EXECUTED','8:0cffd315585e5d17f659ca64a7b3cbf3','createTable tableName=SUMMARY_QUEUE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('summary_queue_initialization','gsterin','metadata_changesets/summarization_queue_table.xml','2026-01-01 00:00:00',5,'EXECUTED','8:aa8c3c51da2f3fc1300b9f8908618549','sql','Populate SUMMARY_QUEUE_ENTRY with not-yet-summarized metadata entry ids',NULL,'4.8.0',NULL,NULL,'1767225600'),
('summary_queue_add_primary_key','gsterin','metadata_changesets/summarization_queue_table_add_primary_key.xml','2026-01-01 00:00:00',6,'EXECUTED','8:ea8729637eb9da6392c4faf37609293b','addPrimaryKey constraintName=PK_SUMMARY_QUEUE_ENTRY, tableName=SUMMARY_QUEUE_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('delete_non_summarizable_metadata_from_queue','mcovarr','metadata_changesets/remove_non_summarizable_metadata_from_queue.xml','2026-01-01 00:00:00',7,'EXECUTED','8:c3862d2417a60d4073f37676926b82f4','sql','Delete rows from the summary queue corresponding to metadata that will not be summarized.',NULL,'4.8.0',NULL,NULL,'1767225600'),
('update_old_metadata_archive_status_index','cjllanwarne','metadata_changesets/update_metadata_archive_index.xml','2026-01-01 00:00:00',8,'EXECUTED','8:1da18c4df7a8ca4267422e32c782ab88','dropIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY; createIndex indexName=IX_WORKFLOW_METADATA_SUMMARY_ENTRY_MAS_ET, tableName=WORKFLOW_METADATA_SUMMARY_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('reset_archive_statuses_to_null','cjllanwarne','metadata_changesets/reset_archive_statuses_to_null.xml','2026-01-01 00:00:00',9,'EXECUTED','8:2126fae9ba700a498ceb4d782ba3bd0b','update tableName=WORKFLOW_METADATA_SUMMARY_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('metadata_index_add_workflow_key','anichols','metadata_changesets/metadata_index_add_workflow_key.xml','2026-01-01 00:00:00',10,'EXECUTED','8:eb698c839f4927dc350c2b82e001aff8','createIndex indexName=IX_METADATA_ENTRY_WEU_MK, tableName=METADATA_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('metadata_index_drop_workflow','anichols','metadata_changesets/metadata_index_drop_workflow.xml','2026-01-01 00:00:00',11,'EXECUTED','8:38023c006fca4d412bb28f0a87008af6','dropIndex indexName=METADATA_WORKFLOW_IDX, tableName=METADATA_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600'),
('metadata_index_add_workflow_call_index_attempt_key','anichols','metadata_changesets/metadata_index_add_workflow_call_index_attempt_key.xml','2026-01-01 00:00:00',12,'EXECUTED','8:624adee62953dece64de45e556b060c7','createIndex indexName=IX_METADATA_ENTRY_WEU_CFQN_JSI_JRA_MK, tableName=METADATA_ENTRY','',NULL,'4.8.0',NULL,NULL,'1767225600');

INSERT INTO `cromwell`.`SQLMETADATADATABASECHANGELOGLOCK` VALUES (1,b'0',NULL,NULL);
