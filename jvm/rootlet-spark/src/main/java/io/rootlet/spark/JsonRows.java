// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** Rows as an object a line; Spark brings the reader. */
final class JsonRows implements Framing<Row> {
  private static final long serialVersionUID = 1;
  private static final ObjectMapper JSON = new ObjectMapper()
      .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
      .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
      .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
  private final Columns columns;
  private transient long count;

  JsonRows(Columns columns) {
    this.columns = columns;
  }

  @Override
  public void write(Row row, OutputStream out) throws IOException {
    out.write(JSON.writeValueAsBytes(object(columns.schema(), row)));
    out.write('\n');
  }

  private static ObjectNode object(StructType schema, Row row) {
    ObjectNode object = JSON.createObjectNode();
    for (int i = 0; i < schema.length(); i++) object.set(schema.fields()[i].name(), node(row.get(i)));
    return object;
  }

  private static JsonNode node(Object value) {
    if (value == null) return JsonNodeFactory.instance.nullNode();
    if (value instanceof Row row) return object(row.schema(), row);
    if (value instanceof scala.collection.Seq<?> list) {
      ArrayNode array = JSON.createArrayNode();
      for (Object item : CollectionConverters.asJava(list)) array.add(node(item));
      return array;
    }
    boolean finite = !(value instanceof Double d && !Double.isFinite(d))
        && !(value instanceof Float f && !Float.isFinite(f));
    if (value instanceof BigDecimal || value instanceof Boolean || (value instanceof Number && finite)) {
      return JSON.valueToTree(value);
    }
    return JsonNodeFactory.instance.textNode(Columns.text(value));
  }

  @Override
  public Row read(InputStream in) throws IOException {
    String line = Framing.LINES.read(in);
    while (line != null && line.isBlank()) line = Framing.LINES.read(in);
    if (line == null) return null;
    count++;
    JsonNode object = JSON.readTree(line);
    if (!object.isObject()) throw new IOException("row " + count + " of the output is no object: " + line);
    return row(columns.schema(), object);
  }

  private Row row(StructType schema, JsonNode object) throws IOException {
    Object[] values = new Object[schema.length()];
    for (int i = 0; i < values.length; i++) {
      StructField field = schema.fields()[i];
      try {
        values[i] = value(field.dataType(), object.get(field.name()));
      } catch (RuntimeException e) {
        throw new IOException("row " + count + " of the output, column " + field.name() + ": "
            + object.get(field.name()) + " is no " + field.dataType().simpleString(), e);
      }
      if (values[i] == null && !field.nullable()) {
        throw new IOException("row " + count + " of the output, column " + field.name() + ": is null");
      }
    }
    return RowFactory.create(values);
  }

  private Object value(DataType type, JsonNode node) throws IOException {
    if (node == null || node.isNull()) return null;
    if (type instanceof StructType struct) return row(struct, node);
    if (type instanceof ArrayType array) {
      if (!node.isArray()) throw new IllegalArgumentException();
      List<Object> items = new ArrayList<>();
      for (JsonNode item : node) items.add(value(array.elementType(), item));
      return CollectionConverters.asScala(items).toSeq();
    }
    if (node.isContainerNode()) throw new IllegalArgumentException();
    return Columns.value(type, node.isBigDecimal() ? node.decimalValue().toPlainString() : node.asText());
  }
}
