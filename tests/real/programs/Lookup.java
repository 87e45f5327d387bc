/** What InetAddress gives for a name. */
public class Lookup {
    public static void main(String[] arguments) {
        long start = System.nanoTime();
        StringBuilder said = new StringBuilder();
        try {
            for (java.net.InetAddress one : java.net.InetAddress.getAllByName(arguments[0]))
                said.append(one.getHostAddress()).append(' ');
        } catch (java.net.UnknownHostException error) {
            said.append("ERR ").append(error);
        }
        System.out.println((System.nanoTime() - start) / 1_000_000 + "ms " + said);
    }
}
