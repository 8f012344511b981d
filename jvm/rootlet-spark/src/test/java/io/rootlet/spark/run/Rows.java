// SPDX-License-Identifier: MIT
package io.rootlet.spark.run;

import io.rootlet.spark.RowFormat;
import io.rootlet.spark.ToolPipe;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Rows go through a tool that changes nothing, and come back as they were. */
final class Rows {
  private Rows() {}

  static final StructType SCHEMA = new StructType()
      .add("i", DataTypes.IntegerType, false).add("text", DataTypes.StringType).add("l", DataTypes.LongType)
      .add("d", DataTypes.DoubleType).add("b", DataTypes.BooleanType).add("bytes", DataTypes.BinaryType)
      .add("money", DataTypes.createDecimalType(38, 10)).add("day", DataTypes.DateType)
      .add("time", DataTypes.TimestampType);

  static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    String[] texts = {"plain", null, "", "\\N", "\"", "\"\"", "a,b", "a\tb", "a\nb", "a\r\nb", "\\t", " blanks ",
        "null", "é🧬", "\r", "'", "\\", ",", "\"quoted\" and not", "\\\\N"};
    for (int i = 0; i < texts.length; i++) {
      boolean nothing = i % 5 == 4;
      rows.add(RowFactory.create(i, texts[i], nothing ? null : Long.MAX_VALUE - i, nothing ? null : 0.1 * i,
          nothing ? null : i % 2 == 0, nothing ? null : new byte[] {0, (byte) i, -1},
          nothing ? null : new BigDecimal("1234567890123456789012345678.0123456789"),
          nothing ? null : Date.valueOf(LocalDate.of(2026, 2, 1 + i)),
          nothing ? null : Timestamp.from(Instant.parse("2026-11-24T10:00:00.123456Z").plusSeconds(i))));
    }
    return rows;
  }

  private static String shown(List<Row> rows) {
    StringBuilder text = new StringBuilder();
    for (Row row : rows) {
      for (int i = 0; i < row.size(); i++) {
        Object value = row.get(i);
        text.append(value instanceof byte[] bytes ? Arrays.toString(bytes) : value).append('|');
      }
      text.append('\n');
    }
    return text.toString();
  }

  static void check(SparkSession session) {
    Dataset<Row> frame = session.createDataFrame(rows(), SCHEMA).repartition(3).sortWithinPartitions("i");
    String wanted = shown(rows());
    List<RowFormat> formats = List.of(RowFormat.tsv(), RowFormat.csv(), RowFormat.jsonLines(),
        RowFormat.tsv().withHeader(), RowFormat.csv().withHeader());
    for (RowFormat format : formats) {
      Dataset<Row> back = frame.transform(ToolPipe.of(Acceptance.shell("cat")).rows(format, format, SCHEMA));
      String got = shown(back.orderBy("i").collectAsList());
      Acceptance.say("rows", got.equals(wanted) ? "equal" : "DIFFERS:\n" + got + "wanted:\n" + wanted);
    }
    StructType lengths = new StructType().add("i", DataTypes.IntegerType).add("length", DataTypes.LongType);
    Dataset<Row> typed = frame.select("i", "text").where("text is not null").transform(ToolPipe
        .of(Acceptance.shell("while IFS='\t' read -r i text; do echo \"$i,${#i}\"; done"))
        .rows(RowFormat.tsv(), RowFormat.csv(), lengths));
    Acceptance.say("typed", String.valueOf(typed.groupBy().sum("length").first().getLong(0)));
    try {
      frame.transform(ToolPipe.of(Acceptance.shell("echo x,y")).rows(RowFormat.csv(), RowFormat.csv(), lengths))
          .collectAsList();
      Acceptance.say("not typed", "DIFFERS");
    } catch (Exception e) {
      Acceptance.say("not typed", String.valueOf(String.valueOf(e).contains("column i: 'x' is no int")));
    }
  }
}
