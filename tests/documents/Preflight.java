import java.io.File;
import java.util.TreeSet;
import org.apache.pdfbox.preflight.PreflightDocument;
import org.apache.pdfbox.preflight.ValidationResult;
import org.apache.pdfbox.preflight.parser.PreflightParser;

/** Says what PDFBox's check of PDF/A-1b complains of: one line a file, the codes and words of each complaint once. */
public class Preflight {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            TreeSet<String> complaints = new TreeSet<>();
            PreflightParser parser = new PreflightParser(new File(file));
            parser.parse();
            try (PreflightDocument document = parser.getPreflightDocument()) {
                document.validate();
                ValidationResult result = document.getResult();
                for (ValidationResult.ValidationError error : result.getErrorsList()) {
                    complaints.add(error.getErrorCode() + " " + error.getDetails().split("\n")[0]);
                }
            }
            System.out.println(file + "\t" + String.join(" | ", complaints));
        }
    }
}
