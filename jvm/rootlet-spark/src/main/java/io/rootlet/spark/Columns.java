// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import java.io.IOException;
import java.io.Serializable;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Values of columns as text, and back: as Spark's own CSV has them, binary as base64. */
final class Columns implements Serializable {
  private static final long serialVersionUID = 1;
  private final StructType schema;

  /** Refuses types that have no such text: they are to be cast, or JSON lines taken. */
  Columns(StructType schema, boolean nested) {
    this.schema = schema;
    for (StructField field : schema.fields()) {
      if (!isPlain(field.dataType()) && !(nested && isNested(field.dataType()))) {
        throw new IllegalArgumentException("column " + field.name() + ": " + field.dataType().simpleString()
            + " has no text of its own; cast it to a string" + (nested ? "" : ", or take JSON lines"));
      }
    }
  }

  private static boolean isPlain(DataType type) {
    List<DataType> plain = List.of(DataTypes.StringType, DataTypes.BooleanType, DataTypes.ByteType,
        DataTypes.ShortType, DataTypes.IntegerType, DataTypes.LongType, DataTypes.FloatType, DataTypes.DoubleType,
        DataTypes.DateType, DataTypes.TimestampType, DataTypes.TimestampNTZType, DataTypes.BinaryType);
    return plain.contains(type) || type instanceof DecimalType;
  }

  private static boolean isNested(DataType type) {
    if (type instanceof ArrayType array) return isPlain(array.elementType()) || isNested(array.elementType());
    if (!(type instanceof StructType struct)) return false;
    return Arrays.stream(struct.fields()).allMatch(field -> isPlain(field.dataType()) || isNested(field.dataType()));
  }

  int size() {
    return schema.length();
  }

  List<String> names() {
    return Arrays.asList(schema.fieldNames());
  }

  StructType schema() {
    return schema;
  }

  String text(int column, Object value) {
    return text(value);
  }

  static String text(Object value) {
    if (value == null) return null;
    if (value instanceof byte[] bytes) return Base64.getEncoder().encodeToString(bytes);
    if (value instanceof Timestamp time) return time.toInstant().toString();
    if (value instanceof BigDecimal number) return number.toPlainString();
    return value.toString(); // dates and times in the forms of ISO 8601
  }

  Object value(int column, String text, long row) throws IOException {
    StructField field = schema.fields()[column];
    if (text == null) {
      if (!field.nullable()) throw new IOException(place(field, row) + "is null");
      return null;
    }
    try {
      return value(field.dataType(), text);
    } catch (RuntimeException e) {
      throw new IOException(place(field, row) + "'" + text + "' is no " + field.dataType().simpleString(), e);
    }
  }

  private static String place(StructField field, long row) {
    return "row " + row + " of the output, column " + field.name() + ": ";
  }

  static Object value(DataType type, String text) {
    if (type.equals(DataTypes.StringType)) return text;
    if (type.equals(DataTypes.BinaryType)) return Base64.getDecoder().decode(text);
    String word = text.strip();
    if (type.equals(DataTypes.BooleanType)) return truth(word);
    if (type.equals(DataTypes.ByteType)) return Byte.valueOf(word);
    if (type.equals(DataTypes.ShortType)) return Short.valueOf(word);
    if (type.equals(DataTypes.IntegerType)) return Integer.valueOf(word);
    if (type.equals(DataTypes.LongType)) return Long.valueOf(word);
    if (type.equals(DataTypes.FloatType)) return Float.valueOf(word);
    if (type.equals(DataTypes.DoubleType)) return Double.valueOf(word);
    if (type.equals(DataTypes.DateType)) return Date.valueOf(LocalDate.parse(word));
    if (type.equals(DataTypes.TimestampType)) return Timestamp.from(Instant.parse(word));
    if (type.equals(DataTypes.TimestampNTZType)) return LocalDateTime.parse(word);
    return new BigDecimal(word);
  }

  private static boolean truth(String word) {
    if (word.equalsIgnoreCase("true")) return true;
    if (word.equalsIgnoreCase("false")) return false;
    throw new IllegalArgumentException(word);
  }
}
