// SPDX-License-Identifier: MIT
package io.rootlet;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads one JSON value: Map, List, String, Long, Double, Boolean or null. For the launcher's lines and
 * the descriptions in jars; of bounded depth, as these come from files.
 */
final class Json {
  private static final int DEEPEST = 32;
  private final String text;
  private int at;
  private int depth;

  private Json(String text) {
    this.text = text;
  }

  /** The object that `text` is. Throws IllegalArgumentException where it is none. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> object(String text) {
    Json json = new Json(text);
    Object value = json.value();
    json.blanks();
    if (json.at != text.length() || !(value instanceof Map)) throw json.wrong("an object was expected");
    return (Map<String, Object>) value;
  }

  static String string(Map<String, Object> object, String key) {
    return object.get(key) instanceof String text ? text : "";
  }

  static long number(Map<String, Object> object, String key, long otherwise) {
    return object.get(key) instanceof Number number ? number.longValue() : otherwise;
  }

  static List<String> strings(Map<String, Object> object, String key) {
    List<String> found = new ArrayList<>();
    if (object.get(key) instanceof List<?> list) {
      for (Object item : list) found.add(String.valueOf(item));
    }
    return found;
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException("no JSON at character " + at + ": " + what);
  }

  private void blanks() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private char next() {
    if (at >= text.length()) throw wrong("it ends too early");
    return text.charAt(at++);
  }

  private void expect(String word) {
    if (!text.startsWith(word, at)) throw wrong(word + " was expected");
    at += word.length();
  }

  private Object value() {
    blanks();
    if (at >= text.length()) throw wrong("it ends too early");
    switch (text.charAt(at)) {
      case '{':
        return members();
      case '[':
        return items();
      case '"':
        return string();
      case 't':
        expect("true");
        return true;
      case 'f':
        expect("false");
        return false;
      case 'n':
        expect("null");
        return null;
      default:
        return number();
    }
  }

  private Map<String, Object> members() {
    Map<String, Object> object = new LinkedHashMap<>();
    enter();
    while (more('}', object.isEmpty())) {
      blanks();
      String key = string();
      blanks();
      expect(":");
      object.put(key, value());
    }
    return object;
  }

  private List<Object> items() {
    List<Object> list = new ArrayList<>();
    enter();
    while (more(']', list.isEmpty())) list.add(value());
    return list;
  }

  private void enter() {
    at++;
    if (++depth > DEEPEST) throw wrong("it is nested too deeply");
  }

  /** Whether another element follows; steps over the comma, or over the end. */
  private boolean more(char end, boolean first) {
    blanks();
    if (at < text.length() && text.charAt(at) == end) {
      at++;
      depth--;
      return false;
    }
    if (!first) expect(",");
    return true;
  }

  private String string() {
    expect("\"");
    StringBuilder out = new StringBuilder();
    for (char c = next(); c != '"'; c = next()) {
      if (c < ' ') throw wrong("a control character in a string");
      out.append(c == '\\' ? escaped() : c);
    }
    return out.toString();
  }

  private char escaped() {
    char c = next();
    int plain = "\"\\/bfnrt".indexOf(c);
    if (plain >= 0) return "\"\\/\b\f\n\r\t".charAt(plain);
    if (c != 'u' || at + 4 > text.length()) throw wrong("no such escape");
    try {
      char unit = (char) Integer.parseInt(text.substring(at, at + 4), 16);
      at += 4;
      return unit;
    } catch (NumberFormatException e) {
      throw wrong("no such escape");
    }
  }

  private Object number() {
    int from = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
    String digits = text.substring(from, at);
    try {
      if (digits.matches("-?[0-9]{1,18}")) return Long.parseLong(digits);
      return Double.parseDouble(digits);
    } catch (NumberFormatException e) {
      throw wrong("a value was expected");
    }
  }
}
